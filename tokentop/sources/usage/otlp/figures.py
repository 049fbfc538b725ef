"""Which attributes hold which figure, by the vocabulary that sent them, and what they include.

OpenTelemetry's conventions count cached tokens as part of the prompt and reasoning as part of what
was generated. Claude Code counts cached ones beside the prompt, Gemini CLI thoughts beside the
answer.
"""

from collections.abc import Mapping

from tokentop.light_typing import Any
from tokentop.sources.json_fields import Fields
from tokentop.sources.usage.fields import Unreadable, counted

TOKENS = ("prompt", "cached", "generated", "reasoning")
Names = Mapping[str, tuple[str, ...]]

# The present conventions first, then earlier ones, OpenLLMetry's and OpenInference's.
GENAI: Names = {
    "prompt": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens",
               "llm.token_count.prompt", "llm.usage.prompt_tokens"),
    "cached": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
               "gen_ai.usage.cached_tokens", "llm.token_count.prompt_details.cache_read"),
    "generated": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens",
                  "llm.token_count.completion", "llm.usage.completion_tokens"),
    "reasoning": ("gen_ai.usage.reasoning.output_tokens",
                  "llm.token_count.completion_details.reasoning"),
}  # fmt: skip
CODEX: Names = {
    "prompt": ("input_token_count",),
    "cached": ("cached_token_count",),
    "generated": ("output_token_count",),
    "reasoning": ("reasoning_token_count",),
}
GEMINI: Names = {
    "prompt": ("input_token_count",),
    "cached": ("cached_content_token_count",),
    "generated": ("output_token_count",),
    "reasoning": ("thoughts_token_count",),
}
CLAUDE: Names = {
    "prompt": ("input_tokens",),
    "cached": ("cache_read_tokens",),
    "generated": ("output_tokens",),
}
_CLAUDE_WRITTEN = "cache_creation_tokens"


def tokens(fields: Fields, names: Names) -> dict[str, Any]:
    """The figures as they were sent; raises Unreadable for one that is no count."""
    return {name: counted(fields, name, *names[name]) if name in names else None for name in TOKENS}


def genai(fields: Fields) -> dict[str, Any]:
    """Some libraries count cached tokens beside the prompt; more cached than prompt shows it."""
    found = tokens(fields, GENAI)
    prompt, cached = found["prompt"], found["cached"]
    if prompt is not None and cached is not None and cached > prompt:
        found["prompt"] = prompt + cached
    return found


def claude(fields: Fields) -> dict[str, Any]:
    """The prompt is what was sent fresh, read from the cache and written into it."""
    found = tokens(fields, CLAUDE)
    written = counted(fields, "written", _CLAUDE_WRITTEN)
    return {**found, "prompt": added(found["prompt"], found["cached"], written)}


def gemini(fields: Fields) -> dict[str, Any]:
    """Thoughts were generated too."""
    found = tokens(fields, GEMINI)
    return {**found, "generated": added(found["generated"], found["reasoning"])}


def added(first: int | None, *more: int | None) -> int | None:
    """The sum of what is known; None where the first is not."""
    return None if first is None else first + sum(each or 0 for each in more)


def required(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures, where there are any; raises Unreadable for a report without a token count."""
    if found["prompt"] is None and found["generated"] is None:
        raise Unreadable("it has no token counts")
    return found
