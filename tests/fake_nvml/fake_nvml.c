/*
 * fake_nvml.c - a stand-in for libnvidia-ml.so.1, for testing GPU monitors on
 * machines that have no NVIDIA GPU and no driver.
 *
 * Written from the public NVML ABI (function signatures, struct layouts, error
 * codes and documented behaviour).  It contains no NVIDIA code, no driver
 * access and no network access: every number comes from a scenario file.
 *
 *   FAKE_NVML_SCENARIO  path of the scenario text file (see README.md)
 *   FAKE_NVML_LOG       path for per-function call counts (%p = pid)
 *   FAKE_NVML_TRACE     path for one line per call         (%p = pid)
 *   FAKE_NVML_DEBUG=1   scenario parse errors go to stderr
 *
 * Build:  gcc -O2 -fPIC -shared -fvisibility=hidden -pthread \
 *             -Wl,-soname,libnvidia-ml.so.1 -o libnvidia-ml.so.1 fake_nvml.c
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))
typedef unsigned int uint;
typedef unsigned long long u64;

/* ------------------------------------------------------------------ errors */
typedef int Ret;
enum {
    OK = 0, E_UNINIT = 1, E_ARG = 2, E_NOTSUP = 3, E_PERM = 4, E_ALREADY = 5,
    E_NOTFOUND = 6, E_SIZE = 7, E_POWER = 8, E_NODRV = 9, E_TIMEOUT = 10,
    E_IRQ = 11, E_NOLIB = 12, E_NOFUNC = 13, E_INFOROM = 14, E_LOST = 15,
    E_RESET = 16, E_OS = 17, E_MISMATCH = 18, E_INUSE = 19, E_MEMORY = 20,
    E_NODATA = 21, E_VGPUECC = 22, E_RESOURCES = 23, E_FREQ = 24, E_VERSION = 25,
    E_DEPRECATED = 26, E_NOTREADY = 27, E_NOGPU = 28, E_STATE = 29,
    E_RESETTYPE = 30, E_UNKNOWN = 999
};
static const struct { int code; const char *name, *text; } ERR[] = {
    { OK, "SUCCESS", "Success" },
    { OK, "OK", "Success" },
    { E_UNINIT, "UNINITIALIZED", "Uninitialized" },
    { E_ARG, "INVALID_ARGUMENT", "Invalid Argument" },
    { E_NOTSUP, "NOT_SUPPORTED", "Not Supported" },
    { E_PERM, "NO_PERMISSION", "Insufficient Permissions" },
    { E_ALREADY, "ALREADY_INITIALIZED", "Already Initialized" },
    { E_NOTFOUND, "NOT_FOUND", "Not Found" },
    { E_SIZE, "INSUFFICIENT_SIZE", "Insufficient Size" },
    { E_POWER, "INSUFFICIENT_POWER", "Insufficient External Power" },
    { E_NODRV, "DRIVER_NOT_LOADED", "Driver Not Loaded" },
    { E_TIMEOUT, "TIMEOUT", "Timeout" },
    { E_IRQ, "IRQ_ISSUE", "Interrupt Request Issue" },
    { E_NOLIB, "LIBRARY_NOT_FOUND", "NVML Shared Library Not Found" },
    { E_NOFUNC, "FUNCTION_NOT_FOUND", "Function Not Found" },
    { E_INFOROM, "CORRUPTED_INFOROM", "Corrupted infoROM" },
    { E_LOST, "GPU_IS_LOST", "GPU is lost" },
    { E_RESET, "RESET_REQUIRED", "GPU requires reset" },
    { E_OS, "OPERATING_SYSTEM", "The operating system has blocked the request." },
    { E_MISMATCH, "LIB_RM_VERSION_MISMATCH", "Driver/library version mismatch" },
    { E_INUSE, "IN_USE", "In use by another client" },
    { E_MEMORY, "MEMORY", "Insufficient Memory" },
    { E_NODATA, "NO_DATA", "No data" },
    { E_VGPUECC, "VGPU_ECC_NOT_SUPPORTED", "vGPU operation not available: ECC is enabled" },
    { E_RESOURCES, "INSUFFICIENT_RESOURCES", "Insufficient Resources" },
    { E_FREQ, "FREQ_NOT_SUPPORTED", "Requested frequency is not supported" },
    { E_VERSION, "ARGUMENT_VERSION_MISMATCH", "The provided version is invalid/unsupported" },
    { E_DEPRECATED, "DEPRECATED", "The requested functionality has been deprecated" },
    { E_NOTREADY, "NOT_READY", "The system is not ready for the request" },
    { E_NOGPU, "GPU_NOT_FOUND", "No GPUs were found" },
    { E_STATE, "INVALID_STATE", "Resource not in correct state to perform requested operation" },
    { E_RESETTYPE, "RESET_TYPE_NOT_SUPPORTED", "Reset not supported for given device/parameters" },
    { E_UNKNOWN, "UNKNOWN", "Unknown Error" },
};
#define N_ERR (sizeof ERR / sizeof ERR[0])

/* -------------------------------------------------------------- data model */
#define MAX_DEV 256
#define MAX_MIG 16
#define NA_U64 0xFFFFFFFFFFFFFFFFULL
#define NA_U32 0xFFFFFFFFu

typedef struct { double a, b, period; int na; } Val; /* constant or a~b/period */

typedef struct { uint pid; char type[8]; Val mem, sm, memutil, enc, dec; uint gi, ci; } Proc;
typedef struct { char profile[48], uuid[96]; uint gi, ci, slices, sms; Val total, reserved, used; int used_set; } Mig;
typedef struct { char pat[96]; int code, spec, where; double after, until; uint every; } Fault; /* where: 0 any, 1 parent GPU only, 2 MIG devices only */
typedef struct { char pat[96]; int spec; double ms, after, until; int hang; } Lat;

typedef struct {
    char name[96], uuid[96], serial[40], bus[32], vbios[32], part[80], brand[32];
    uint minor, dom, busno, devno, pci_id, subsys, cc_major, cc_minor, arch, cores, bus_width;
    Val mem_total, mem_reserved, mem_used; int mem_used_set;
    Val util, memutil, enc, dec, jpg, ofa;
    Val temp, temp_mem, th_shutdown, th_slowdown, th_memmax, th_gpumax;
    Val fan[8]; uint nfans;
    Val power, plimit, penforced, pdefault, pmin, pmax;
    Val clk[4], clkmax[4];
    Val pstate, compute_mode, persistence, disp_active, disp_mode;
    int ecc;                    /* 1 on, 0 off, -1 not supported */
    Val ecc_cv, ecc_uv, ecc_ca, ecc_ua;
    Val gen, genmax, width, widthmax, ptx, prx, replay;
    Val bar1_total, bar1_used;
    uint nvlinks, nvl_version, nvl_down; Val nvl_speed, nvl_tx, nvl_rx; int nvl_switch;
    u64 throttle; Val energy0;
    struct { uint code; double after; } xid[8]; uint nxids; /* Xid events of this scenario */
    Val numa; int numa_mem;     /* numa_mem: GPU memory is a NUMA node (ATS) */
    int c2c;
    int mig;                    /* 1 on, 0 off, -1 not supported */
    Mig *migs; uint nmigs;
    Proc *procs; uint nprocs;
    Fault *faults; uint nfaults;
    Lat *lats; uint nlats;
} Device;

typedef struct {
    uint count; char driver[80], nvml[80], branch[80]; int cuda;
    int extra_shutdown_error, lock_latency, freeze_count, boot, boot_error; double pcie_sample_ms, clock;
    Fault *faults; uint nfaults;
    Lat *lats; uint nlats;
    Device *dev;
    char errors[2048]; uint nerrors;
} Config;

typedef struct { uint magic; int dev, mig; } Handle;
#define MAGIC 0x4E564D4Cu

typedef struct Fn { const char *name; u64 calls, errors; struct Fn *next; } Fn;

/* process-wide state, all guarded by g_lock */
static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static Handle H[MAX_DEV][MAX_MIG + 1];
static Config *g_cfg;
static Fn *g_fns;
static int g_init, g_ever_init, g_boot; /* g_boot: the driver's start that this library was initialised under */
static u64 g_total, g_reloads;
static double g_t0 = -1, g_last_flush, g_load_t;
static uint g_frozen_count;
static struct timespec g_mtime; static off_t g_size; static ino_t g_ino; static int g_have_file;
static pid_t g_pid;
static FILE *g_trace;
static struct { double t, energy, ntx, nrx, ptx, prx; } A[MAX_DEV]; /* running counters */

static double now_real(void) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static double now_mono(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static u64 now_us(void) { return (u64)(now_real() * 1e6); }
static double count_clock(void);

/* ------------------------------------------------------------ scenario text */
static Val K(double x) { Val v = { x, x, 0, 0 }; return v; }
static Val VNA(void) { Val v = { 0, 0, 0, 1 }; return v; }

/* value of an oscillating quantity: a triangle wave, each device out of phase */
static double ev(const Val *v, int dev)
{
    if (v->period <= 0) return v->a;
    double x = now_real() / v->period + dev * 0.137;
    x -= (double)(long long)x;
    double tri = x < 0.5 ? 2 * x : 2 - 2 * x;
    return v->a + (v->b - v->a) * tri;
}

static void perr(Config *c, int line, const char *fmt, ...)
{
    char buf[256]; va_list ap; va_start(ap, fmt); vsnprintf(buf, sizeof buf, fmt, ap); va_end(ap);
    size_t n = strlen(c->errors);
    snprintf(c->errors + n, sizeof c->errors - n, "line %d: %s\n", line, buf);
    c->nerrors++;
    if (getenv("FAKE_NVML_DEBUG")) fprintf(stderr, "fake_nvml: line %d: %s\n", line, buf);
}

static char *trim(char *s)
{
    while (isspace((unsigned char)*s)) s++;
    char *e = s + strlen(s);
    while (e > s && isspace((unsigned char)e[-1])) *--e = 0;
    return s;
}

/* one number with an optional binary unit; *end is left after the unit */
static double num(const char *s, char **end)
{
    char *e; double x = strtod(s, &e);
    double m = 1;
    if (e != s) {
        switch (*e) { case 'K': case 'k': m = 1024.0; break; case 'M': m = 1048576.0; break;
                      case 'G': m = 1073741824.0; break; case 'T': m = 1099511627776.0; break; }
        if (m != 1) { e++; if (*e == 'i') e++; if (*e == 'B') e++; }
        else if (*e == '%' || *e == 'W' || *e == 'C' || *e == 'V') e++;
    }
    *end = e;
    return x * m;
}

static int parse_val(const char *s, Val *v)
{
    char *e;
    if (!strcasecmp(s, "NA") || !strcasecmp(s, "N/A")) { *v = VNA(); return 1; }
    v->na = 0; v->period = 0; v->a = v->b = num(s, &e);
    if (e == s) return 0;
    if (*e == '~') {
        const char *q = e + 1; v->b = num(q, &e);
        if (e == q) return 0;
        v->period = 20;
        if (*e == '/') { q = e + 1; v->period = strtod(q, &e); if (*e == 's') e++; }
    }
    return *e == 0;
}

static int parse_err(const char *s, int *code)
{
    if (!strncmp(s, "NVML_", 5)) s += 5;
    if (!strncmp(s, "ERROR_", 6)) s += 6;
    for (size_t i = 0; i < N_ERR; i++) if (!strcasecmp(s, ERR[i].name)) { *code = ERR[i].code; return 1; }
    if (isdigit((unsigned char)*s)) { *code = atoi(s); return 1; }
    return 0;
}

/* specificity of a function-name pattern: exact beats prefix* beats * */
static int spec_of(const char *p)
{
    size_t n = strlen(p);
    return (n && p[n - 1] == '*') ? (int)n : 1000 + (int)n;
}
static int pat_match(const char *p, const char *f)
{
    size_t n = strlen(p);
    if (n && p[n - 1] == '*') return !strncmp(p, f, n - 1);
    return !strcmp(p, f);
}

static int add_fault(Config *c, int line, Fault **list, uint *n, const char *pat, char *val)
{
    Fault f; memset(&f, 0, sizeof f); f.until = -1;
    snprintf(f.pat, sizeof f.pat, "%s", pat); f.spec = spec_of(pat);
    char *save, *tok = strtok_r(val, " \t", &save);
    if (!tok || !parse_err(tok, &f.code)) { perr(c, line, "unknown error code '%s'", tok ? tok : ""); return 0; }
    while ((tok = strtok_r(NULL, " \t", &save))) {
        if (!strncmp(tok, "after=", 6)) f.after = strtod(tok + 6, NULL);
        else if (!strncmp(tok, "until=", 6)) f.until = strtod(tok + 6, NULL);
        else if (!strncmp(tok, "every=", 6)) f.every = (uint)atoi(tok + 6);
        else if (!strcmp(tok, "on=parent")) f.where = 1;
        else if (!strcmp(tok, "on=mig")) f.where = 2;
        else { perr(c, line, "unknown fault option '%s'", tok); return 0; }
    }
    *list = realloc(*list, (*n + 1) * sizeof f); (*list)[(*n)++] = f;
    return 1;
}

static int add_lat(Config *c, int line, Lat **list, uint *n, const char *pat, char *val)
{
    Lat l; memset(&l, 0, sizeof l); snprintf(l.pat, sizeof l.pat, "%s", pat); l.spec = spec_of(pat); l.until = -1;
    char *save, *tok = strtok_r(val, " \t", &save), *e;
    if (!tok) { perr(c, line, "missing latency"); return 0; }
    if (!strcmp(tok, "hang")) l.hang = 1;
    else { l.ms = strtod(tok, &e); if (e == tok) { perr(c, line, "bad latency '%s'", tok); return 0; } }
    while ((tok = strtok_r(NULL, " \t", &save))) {
        if (!strncmp(tok, "after=", 6)) l.after = strtod(tok + 6, NULL);
        else if (!strncmp(tok, "until=", 6)) l.until = strtod(tok + 6, NULL);
        else { perr(c, line, "unknown latency option '%s'", tok); return 0; }
    }
    *list = realloc(*list, (*n + 1) * sizeof l); (*list)[(*n)++] = l;
    return 1;
}

/* pid = number | self | parent | init | @file (relative to the scenario) | $ENV ; a|b = first that resolves */
static uint parse_pid(const char *s)
{
    char buf[256]; snprintf(buf, sizeof buf, "%s", s);
    char *save, *t;
    for (t = strtok_r(buf, "|", &save); t; t = strtok_r(NULL, "|", &save)) {
        if (!strcmp(t, "self")) return (uint)getpid();
        if (!strcmp(t, "parent")) return (uint)getppid();
        if (!strcmp(t, "init")) return 1;
        if (*t == '$') { const char *v = getenv(t + 1); if (v && atoi(v) > 0) return (uint)atoi(v); continue; }
        if (*t == '@') {
            char path[PATH_MAX]; const char *sc = getenv("FAKE_NVML_SCENARIO"), *sl = sc ? strrchr(sc, '/') : NULL;
            if (t[1] == '/' || !sl) snprintf(path, sizeof path, "%s", t + 1);
            else snprintf(path, sizeof path, "%.*s/%s", (int)(sl - sc), sc, t + 1);
            FILE *f = fopen(path, "r"); uint p = 0;
            if (f) { if (fscanf(f, "%u", &p) != 1) p = 0; fclose(f); }
            if (p) return p;
            continue;
        }
        if (atoi(t) > 0) return (uint)atoi(t);
    }
    return 0;
}

static void add_proc(Config *c, int line, Device *d, char *val)
{
    if (!strcmp(val, "none")) { d->nprocs = 0; return; }
    Proc p; memset(&p, 0, sizeof p); strcpy(p.type, "C"); p.gi = p.ci = NA_U32; p.mem = VNA();
    char *save, *tok;
    for (tok = strtok_r(val, " \t", &save); tok; tok = strtok_r(NULL, " \t", &save)) {
        char *eq = strchr(tok, '='); if (!eq) { perr(c, line, "proc: expected key=value, got '%s'", tok); return; }
        *eq = 0; char *v = eq + 1; int ok = 1;
        if (!strcmp(tok, "pid")) { p.pid = parse_pid(v); }
        else if (!strcmp(tok, "type")) snprintf(p.type, sizeof p.type, "%s", v);
        else if (!strcmp(tok, "mem")) ok = parse_val(v, &p.mem);
        else if (!strcmp(tok, "sm")) ok = parse_val(v, &p.sm);
        else if (!strcmp(tok, "memutil")) ok = parse_val(v, &p.memutil);
        else if (!strcmp(tok, "enc")) ok = parse_val(v, &p.enc);
        else if (!strcmp(tok, "dec")) ok = parse_val(v, &p.dec);
        else if (!strcmp(tok, "gi")) p.gi = (uint)atoi(v);
        else if (!strcmp(tok, "ci")) p.ci = (uint)atoi(v);
        else { perr(c, line, "proc: unknown key '%s'", tok); return; }
        if (!ok) { perr(c, line, "proc: bad value for '%s'", tok); return; }
    }
    if (!p.pid) return; /* unresolved pid source: the process is simply not there */
    d->procs = realloc(d->procs, (d->nprocs + 1) * sizeof p); d->procs[d->nprocs++] = p;
}

static u64 mix(u64 x) { x += 0x9E3779B97F4A7C15ULL; x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL; x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL; return x ^ (x >> 31); }
static void make_uuid(char *out, size_t n, const char *prefix, u64 seed)
{
    u64 a = mix(seed), b = mix(seed ^ 0xABCDEF);
    snprintf(out, n, "%s-%08x-%04x-%04x-%04x-%012llx", prefix, (uint)(a >> 32), (uint)(a >> 16) & 0xFFFF,
             (uint)a & 0xFFFF, (uint)(b >> 48), b & 0xFFFFFFFFFFFFULL);
}

static void add_mig(Config *c, int line, Device *d, int idx, char *val)
{
    Mig m; memset(&m, 0, sizeof m); m.gi = 7 + d->nmigs; m.slices = 1; m.sms = 16;
    strcpy(m.profile, "1g.10gb"); m.total = K(9984.0 * 1048576); m.reserved = K(16.0 * 1048576);
    uint repeat = 1; char *save, *tok;
    for (tok = strtok_r(val, " \t", &save); tok; tok = strtok_r(NULL, " \t", &save)) {
        char *eq = strchr(tok, '='); if (!eq) { perr(c, line, "mig_dev: expected key=value, got '%s'", tok); return; }
        *eq = 0; char *v = eq + 1; int ok = 1;
        if (!strcmp(tok, "profile")) { snprintf(m.profile, sizeof m.profile, "%s", v); m.slices = (uint)atoi(v); if (!m.slices) m.slices = 1; m.sms = 16 * m.slices; }
        else if (!strcmp(tok, "gi")) m.gi = (uint)atoi(v);
        else if (!strcmp(tok, "ci")) m.ci = (uint)atoi(v);
        else if (!strcmp(tok, "total")) ok = parse_val(v, &m.total);
        else if (!strcmp(tok, "reserved")) ok = parse_val(v, &m.reserved);
        else if (!strcmp(tok, "used")) { ok = parse_val(v, &m.used); m.used_set = 1; }
        else if (!strcmp(tok, "sm")) m.sms = (uint)atoi(v);
        else if (!strcmp(tok, "repeat")) repeat = (uint)atoi(v);
        else { perr(c, line, "mig_dev: unknown key '%s'", tok); return; }
        if (!ok) { perr(c, line, "mig_dev: bad value for '%s'", tok); return; }
    }
    for (uint i = 0; i < repeat && d->nmigs < MAX_MIG; i++) {
        Mig x = m; x.gi = m.gi + i;
        make_uuid(x.uuid, sizeof x.uuid, "MIG", 0x5000 + (u64)idx * 64 + d->nmigs);
        d->migs = realloc(d->migs, (d->nmigs + 1) * sizeof x); d->migs[d->nmigs++] = x;
    }
}

static int yes(const char *v) { return !strcasecmp(v, "on") || !strcasecmp(v, "yes") || !strcasecmp(v, "true") || !strcmp(v, "1"); }
static void apply_preset(Config *c, int line, int idx, const char *name);

static const struct { const char *key; size_t off; } VKEY[] = {
#define VK(k, f) { k, offsetof(Device, f) }
    VK("mem_total", mem_total), VK("mem_reserved", mem_reserved),
    VK("util", util), VK("memutil", memutil), VK("enc", enc), VK("dec", dec), VK("jpg", jpg), VK("ofa", ofa),
    VK("temp", temp), VK("temp_mem", temp_mem), VK("temp_shutdown", th_shutdown), VK("temp_slowdown", th_slowdown),
    VK("temp_mem_max", th_memmax), VK("temp_gpu_max", th_gpumax),
    VK("power", power), VK("power_limit", plimit), VK("power_enforced", penforced), VK("power_default", pdefault),
    VK("power_min", pmin), VK("power_max", pmax),
    VK("clk_gr", clk[0]), VK("clk_sm", clk[1]), VK("clk_mem", clk[2]), VK("clk_vid", clk[3]),
    VK("max_gr", clkmax[0]), VK("max_sm", clkmax[1]), VK("max_mem", clkmax[2]), VK("max_vid", clkmax[3]),
    VK("pstate", pstate), VK("compute_mode", compute_mode), VK("persistence", persistence),
    VK("display_active", disp_active), VK("display_mode", disp_mode),
    VK("ecc_corr", ecc_cv), VK("ecc_uncorr", ecc_uv), VK("ecc_corr_agg", ecc_ca), VK("ecc_uncorr_agg", ecc_ua),
    VK("pcie_gen", gen), VK("pcie_gen_max", genmax), VK("pcie_width", width), VK("pcie_width_max", widthmax),
    VK("pcie_tx", ptx), VK("pcie_rx", prx), VK("pcie_replay", replay),
    VK("bar1_total", bar1_total), VK("bar1_used", bar1_used),
    VK("nvlink_speed", nvl_speed), VK("nvlink_tx", nvl_tx), VK("nvlink_rx", nvl_rx),
    VK("energy", energy0), VK("numa", numa),
};

static void set_dev(Config *c, int line, int idx, const char *key, char *val)
{
    Device *d = &c->dev[idx];
    for (size_t i = 0; i < sizeof VKEY / sizeof VKEY[0]; i++)
        if (!strcmp(key, VKEY[i].key)) {
            if (!parse_val(val, (Val *)((char *)d + VKEY[i].off))) perr(c, line, "bad value '%s' for %s", val, key);
            return;
        }
    if (!strcmp(key, "preset")) apply_preset(c, line, idx, val);
    else if (!strcmp(key, "name")) snprintf(d->name, sizeof d->name, "%s", val);
    else if (!strcmp(key, "brand")) snprintf(d->brand, sizeof d->brand, "%s", val);
    else if (!strcmp(key, "uuid")) snprintf(d->uuid, sizeof d->uuid, "%s", val);
    else if (!strcmp(key, "serial")) { if (!strcmp(val, "auto")) snprintf(d->serial, sizeof d->serial, "16505240%05d", 1000 + idx); else snprintf(d->serial, sizeof d->serial, "%s", strcasecmp(val, "NA") ? val : ""); }
    else if (!strcmp(key, "vbios")) snprintf(d->vbios, sizeof d->vbios, "%s", val);
    else if (!strcmp(key, "part")) snprintf(d->part, sizeof d->part, "%s", val);
    else if (!strcmp(key, "minor")) d->minor = (uint)strtoul(val, NULL, 0);
    else if (!strcmp(key, "pci_device_id")) d->pci_id = (uint)strtoul(val, NULL, 0);
    else if (!strcmp(key, "pci_subsystem_id")) d->subsys = (uint)strtoul(val, NULL, 0);
    else if (!strcmp(key, "bus_id")) {
        if (sscanf(val, "%x:%x:%x", &d->dom, &d->busno, &d->devno) != 3) perr(c, line, "bad bus_id '%s'", val);
    }
    else if (!strcmp(key, "cc")) { if (sscanf(val, "%u.%u", &d->cc_major, &d->cc_minor) != 2) perr(c, line, "bad cc"); }
    else if (!strcmp(key, "arch")) d->arch = (uint)atoi(val);
    else if (!strcmp(key, "cores")) d->cores = (uint)atoi(val);
    else if (!strcmp(key, "bus_width")) d->bus_width = (uint)atoi(val);
    else if (!strcmp(key, "mem")) { if (!strcasecmp(val, "NA")) d->mem_total = VNA(); else if (!parse_val(val, &d->mem_total)) perr(c, line, "bad mem"); }
    else if (!strcmp(key, "mem_used")) { d->mem_used_set = strcmp(val, "auto") != 0; if (d->mem_used_set && !parse_val(val, &d->mem_used)) perr(c, line, "bad mem_used"); }
    else if (!strcmp(key, "fan")) {
        d->nfans = 0;
        if (strcasecmp(val, "NA")) {
            char *save, *t;
            for (t = strtok_r(val, ", ", &save); t && d->nfans < 8; t = strtok_r(NULL, ", ", &save))
                if (!parse_val(t, &d->fan[d->nfans++])) perr(c, line, "bad fan '%s'", t);
        }
    }
    else if (!strcmp(key, "ecc")) d->ecc = !strcasecmp(val, "NA") ? -1 : yes(val);
    else if (!strcmp(key, "mig")) { d->mig = !strcasecmp(val, "NA") ? -1 : yes(val); }
    else if (!strcmp(key, "mig_dev")) add_mig(c, line, d, idx, val);
    else if (!strcmp(key, "nvlinks")) d->nvlinks = (uint)atoi(val);
    else if (!strcmp(key, "nvlink_version")) d->nvl_version = (uint)atoi(val);
    else if (!strcmp(key, "nvlink_switch")) d->nvl_switch = yes(val);
    else if (!strcmp(key, "nvlink_down")) {
        d->nvl_down = 0; char *save, *t;
        for (t = strtok_r(val, ", ", &save); t; t = strtok_r(NULL, ", ", &save)) d->nvl_down |= 1u << (atoi(t) & 31);
    }
    else if (!strcmp(key, "throttle")) {
        static const struct { const char *n; u64 b; } T[] = { { "NONE", 0 }, { "GPU_IDLE", 1 }, { "APP_CLOCKS", 2 }, { "SW_POWER_CAP", 4 },
            { "HW_SLOWDOWN", 8 }, { "SYNC_BOOST", 0x10 }, { "SW_THERMAL", 0x20 }, { "HW_THERMAL", 0x40 }, { "HW_POWER_BRAKE", 0x80 }, { "DISPLAY_CLOCKS", 0x100 } };
        d->throttle = 0; char *save, *t;
        for (t = strtok_r(val, "| ,", &save); t; t = strtok_r(NULL, "| ,", &save)) {
            size_t i, n = sizeof T / sizeof T[0];
            for (i = 0; i < n; i++) if (!strcasecmp(t, T[i].n)) { d->throttle |= T[i].b; break; }
            if (i == n) { if (isdigit((unsigned char)*t)) d->throttle |= strtoull(t, NULL, 0); else perr(c, line, "unknown throttle reason '%s'", t); }
        }
    }
    else if (!strcmp(key, "xid")) { /* CODE [after=S]: without a time it comes when the scenario is loaded */
        char *save, *t = strtok_r(val, " \t", &save);
        if (!t || !atoi(t) || d->nxids >= 8) { perr(c, line, "bad xid"); return; }
        d->xid[d->nxids].code = (uint)atoi(t); d->xid[d->nxids].after = -1;
        while ((t = strtok_r(NULL, " \t", &save))) {
            if (!strncmp(t, "after=", 6)) d->xid[d->nxids].after = strtod(t + 6, NULL);
            else { perr(c, line, "unknown xid option '%s'", t); return; }
        }
        d->nxids++;
    }
    else if (!strcmp(key, "c2c")) d->c2c = yes(val);
    else if (!strcmp(key, "numa_memory")) d->numa_mem = yes(val);
    else if (!strcmp(key, "proc")) add_proc(c, line, d, val);
    else if (!strncmp(key, "fault.", 6)) add_fault(c, line, &d->faults, &d->nfaults, key + 6, val);
    else if (!strcmp(key, "latency_ms")) add_lat(c, line, &d->lats, &d->nlats, "*", val);
    else if (!strncmp(key, "latency.", 8)) add_lat(c, line, &d->lats, &d->nlats, key + 8, val);
    else perr(c, line, "unknown device key '%s'", key);
}

static void set_sys(Config *c, int line, const char *key, char *val)
{
    if (!strcmp(key, "count")) ; /* read in the first pass */
    else if (!strcmp(key, "driver")) snprintf(c->driver, sizeof c->driver, "%s", val);
    else if (!strcmp(key, "nvml")) snprintf(c->nvml, sizeof c->nvml, "%s", val);
    else if (!strcmp(key, "branch")) snprintf(c->branch, sizeof c->branch, "%s", val);
    else if (!strcmp(key, "cuda")) { int a = 0, b = 0; sscanf(val, "%d.%d", &a, &b); c->cuda = a * 1000 + b * 10; }
    else if (!strcmp(key, "init_error")) add_fault(c, line, &c->faults, &c->nfaults, "nvmlInit*", val);
    else if (!strncmp(key, "fault.", 6)) add_fault(c, line, &c->faults, &c->nfaults, key + 6, val);
    else if (!strcmp(key, "latency_ms")) add_lat(c, line, &c->lats, &c->nlats, "*", val);
    else if (!strncmp(key, "latency.", 8)) add_lat(c, line, &c->lats, &c->nlats, key + 8, val);
    else if (!strcmp(key, "latency_lock")) c->lock_latency = yes(val);
    else if (!strcmp(key, "pcie_sample_ms")) c->pcie_sample_ms = strtod(val, NULL);
    else if (!strcmp(key, "clock")) c->clock = strtod(val, NULL);
    else if (!strcmp(key, "extra_shutdown_error")) c->extra_shutdown_error = yes(val);
    else if (!strcmp(key, "freeze_count")) c->freeze_count = yes(val);
    else if (!strcmp(key, "boot")) {
        char *save, *tok = strtok_r(val, " \t", &save); c->boot = tok ? atoi(tok) : 0;
        if ((tok = strtok_r(NULL, " \t", &save)) && !parse_err(tok, &c->boot_error)) perr(c, line, "unknown error code '%s'", tok);
    }
    else perr(c, line, "unknown system key '%s'", key);
}

/* ----------------------------------------------------------------- presets */
static const struct { const char *name, *text; } PRESET[] = {
    { "rtx4090", "name=NVIDIA GeForce RTX 4090\nbrand=geforce\narch=8\ncc=8.9\ncores=16384\nbus_width=384\npci_device_id=0x268410DE\n"
      "mem_total=24564MiB\nmem_reserved=487MiB\nserial=NA\nfan=30\ntemp=38\ntemp_mem=NA\npower=22\npower_limit=450\npower_default=450\npower_min=150\npower_max=600\n"
      "clk_gr=210\nclk_sm=210\nclk_mem=405\nclk_vid=1185\nmax_gr=3105\nmax_sm=3105\nmax_mem=10501\nmax_vid=2415\npstate=8\necc=off\nmig=NA\n"
      "pcie_gen=1\npcie_gen_max=4\npcie_width=16\npcie_width_max=16\nbar1_total=32768MiB\nbar1_used=27MiB\nnvlinks=0\npersistence=0\n" },
    { "t4", "name=Tesla T4\nbrand=nvidia\nserial=auto\npersistence=1\narch=6\ncc=7.5\ncores=2560\nbus_width=256\npci_device_id=0x1EB810DE\nmem_total=15360MiB\nmem_reserved=450MiB\nfan=NA\n"
      "temp=44\npower=27\npower_limit=70\npower_default=70\npower_min=60\npower_max=70\nclk_gr=585\nclk_sm=585\nclk_mem=5000\nclk_vid=825\n"
      "max_gr=1590\nmax_sm=1590\nmax_mem=5001\nmax_vid=1470\npstate=0\necc=on\nmig=NA\npcie_gen=3\npcie_gen_max=3\npcie_width=16\npcie_width_max=16\nbar1_total=256MiB\nbar1_used=3MiB\nnvlinks=0\n" },
    { "a100-80g", "name=NVIDIA A100-SXM4-80GB\nbrand=nvidia\nserial=auto\npersistence=1\narch=7\ncc=8.0\ncores=6912\nbus_width=5120\npci_device_id=0x20B210DE\n"
      "mem_total=81920MiB\nmem_reserved=631MiB\nfan=NA\ntemp=33\ntemp_mem=38\npower=62\npower_limit=400\npower_default=400\npower_min=100\npower_max=400\n"
      "clk_gr=210\nclk_sm=210\nclk_mem=1593\nclk_vid=585\nmax_gr=1410\nmax_sm=1410\nmax_mem=1593\nmax_vid=1290\npstate=0\necc=on\nmig=off\n"
      "pcie_gen=4\npcie_gen_max=4\npcie_width=16\npcie_width_max=16\nbar1_total=131072MiB\nbar1_used=1MiB\nnvlinks=12\nnvlink_speed=25000\nnvlink_version=4\nnvlink_switch=on\n" },
    { "h100-80g", "name=NVIDIA H100 80GB HBM3\nbrand=nvidia\nserial=auto\npersistence=1\narch=9\ncc=9.0\ncores=16896\nbus_width=5120\npci_device_id=0x233010DE\n"
      "mem_total=81559MiB\nmem_reserved=551MiB\nfan=NA\ntemp=31\ntemp_mem=41\npower=70\npower_limit=700\npower_default=700\npower_min=200\npower_max=700\n"
      "clk_gr=345\nclk_sm=345\nclk_mem=2619\nclk_vid=765\nmax_gr=1980\nmax_sm=1980\nmax_mem=2619\nmax_vid=1545\npstate=0\necc=on\nmig=off\n"
      "pcie_gen=5\npcie_gen_max=5\npcie_width=16\npcie_width_max=16\nbar1_total=131072MiB\nbar1_used=1MiB\nnvlinks=18\nnvlink_speed=26562\nnvlink_version=6\nnvlink_switch=on\n" },
    { "h200", "name=NVIDIA H200\nbrand=nvidia\nserial=auto\npersistence=1\narch=9\ncc=9.0\ncores=16896\nbus_width=6144\npci_device_id=0x233510DE\n"
      "mem_total=143771MiB\nmem_reserved=616MiB\nfan=NA\ntemp=32\ntemp_mem=40\npower=76\npower_limit=700\npower_default=700\npower_min=200\npower_max=700\n"
      "clk_gr=345\nclk_sm=345\nclk_mem=3201\nclk_vid=765\nmax_gr=1980\nmax_sm=1980\nmax_mem=3201\nmax_vid=1545\npstate=0\necc=on\nmig=off\n"
      "pcie_gen=5\npcie_gen_max=5\npcie_width=16\npcie_width_max=16\nbar1_total=262144MiB\nbar1_used=1MiB\nnvlinks=18\nnvlink_speed=26562\nnvlink_version=6\nnvlink_switch=on\n" },
    { "b200", "name=NVIDIA B200\nbrand=nvidia\nserial=auto\npersistence=1\narch=10\ncc=10.0\ncores=18944\nbus_width=8192\npci_device_id=0x290110DE\n"
      "mem_total=183359MiB\nmem_reserved=720MiB\nfan=NA\ntemp=33\ntemp_mem=42\npower=140\npower_limit=1000\npower_default=1000\npower_min=200\npower_max=1000\n"
      "clk_gr=120\nclk_sm=120\nclk_mem=3996\nclk_vid=600\nmax_gr=1965\nmax_sm=1965\nmax_mem=3996\nmax_vid=1965\npstate=0\necc=on\nmig=off\n"
      "pcie_gen=5\npcie_gen_max=5\npcie_width=16\npcie_width_max=16\nbar1_total=262144MiB\nbar1_used=1MiB\nnvlinks=18\nnvlink_speed=53125\nnvlink_version=7\nnvlink_switch=on\n" },
    { "gh200", "name=NVIDIA GH200 480GB\nbrand=nvidia\nserial=auto\npersistence=1\narch=9\ncc=9.0\ncores=16896\nbus_width=6144\npci_device_id=0x234210DE\nbus_id=0009:01:00\n"
      "mem_total=97871MiB\nmem_reserved=581MiB\nfan=NA\ntemp=34\ntemp_mem=39\npower=88\npower_limit=900\npower_default=900\npower_min=100\npower_max=900\n"
      "clk_gr=345\nclk_sm=345\nclk_mem=2619\nclk_vid=765\nmax_gr=1980\nmax_sm=1980\nmax_mem=2619\nmax_vid=1545\npstate=0\necc=on\nmig=off\n"
      "pcie_gen=5\npcie_gen_max=5\npcie_width=1\npcie_width_max=16\nbar1_total=131072MiB\nbar1_used=1MiB\nnvlinks=0\nc2c=on\nnuma_memory=on\n" },
    { "gb10", "name=NVIDIA GB10\nbrand=nvidia\npersistence=1\narch=10\ncc=12.1\ncores=6144\nbus_width=256\npci_device_id=0x2E1210DE\nbus_id=000F:01:00\nserial=NA\n"
      "mem=NA\nfan=NA\ntemp=36\ntemp_mem=NA\npower=11\npower_limit=NA\npower_enforced=NA\npower_default=NA\npower_min=NA\npower_max=NA\n"
      "clk_gr=208\nclk_sm=208\nclk_mem=NA\nclk_vid=599\nmax_gr=3003\nmax_sm=3003\nmax_mem=NA\nmax_vid=3003\npstate=8\necc=NA\nmig=NA\n"
      "pcie_gen=1\npcie_gen_max=5\npcie_width=1\npcie_width_max=16\nbar1_total=NA\nbar1_used=NA\nnvlinks=0\npcie_tx=NA\npcie_rx=NA\n" },
    { "thor", "name=NVIDIA Thor\nbrand=nvidia\npersistence=1\narch=10\ncc=11.0\ncores=2560\nbus_width=256\npci_device_id=0x2B0010DE\nserial=NA\n"
      "mem=NA\nutil=NA\nmemutil=NA\nenc=NA\ndec=NA\njpg=NA\nofa=NA\nfan=NA\ntemp=NA\ntemp_mem=NA\ntemp_shutdown=NA\ntemp_slowdown=NA\ntemp_mem_max=NA\ntemp_gpu_max=NA\n"
      "power=NA\npower_limit=NA\npower_enforced=NA\npower_default=NA\npower_min=NA\npower_max=NA\nclk_gr=NA\nclk_sm=NA\nclk_mem=NA\nclk_vid=NA\n"
      "max_gr=NA\nmax_sm=NA\nmax_mem=NA\nmax_vid=NA\npstate=NA\necc=NA\nmig=off\npcie_gen=NA\npcie_gen_max=NA\npcie_width=NA\npcie_width_max=NA\n"
      "pcie_tx=NA\npcie_rx=NA\npcie_replay=NA\nbar1_total=NA\nbar1_used=NA\nnvlinks=0\nenergy=NA\n" },
};

static void apply_lines(Config *c, int line, int idx, const char *text)
{
    char buf[256];
    while (*text) {
        size_t n = strcspn(text, "\n"); snprintf(buf, sizeof buf, "%.*s", (int)n, text);
        char *eq = strchr(buf, '=');
        if (eq) { *eq = 0; set_dev(c, line, idx, buf, eq + 1); }
        text += n; if (*text) text++;
    }
}
static void apply_preset(Config *c, int line, int idx, const char *name)
{
    for (size_t i = 0; i < sizeof PRESET / sizeof PRESET[0]; i++)
        if (!strcmp(name, PRESET[i].name)) { apply_lines(c, line, idx, PRESET[i].text); return; }
    perr(c, line, "unknown preset '%s'", name);
}

static void dev_defaults(Config *c, int i)
{
    Device *d = &c->dev[i];
    memset(d, 0, sizeof *d);
    d->minor = (uint)i; d->busno = 1 + (uint)i; d->pci_id = 0x268410DE; d->subsys = 0x16F110DE;
    make_uuid(d->uuid, sizeof d->uuid, "GPU", 0x1000 + (u64)i);
    snprintf(d->serial, sizeof d->serial, "16505240%05d", 1000 + i);
    strcpy(d->vbios, "96.00.74.00.11"); strcpy(d->part, "900-2G133-0300-000");
    d->mem_used = K(0); d->th_shutdown = K(95); d->th_slowdown = K(92); d->th_memmax = K(95); d->th_gpumax = K(87);
    d->penforced = VNA(); d->penforced.na = 2; /* 2 = follow power_limit */
    d->persistence = K(1); d->numa = K(i / 4); d->ecc = -1; d->mig = -1; d->nvl_tx = d->nvl_rx = K(0);
    d->ptx = K(500); d->prx = K(500); d->throttle = 1;
    apply_preset(c, 0, i, "rtx4090");
}

static void free_config(Config *c)
{
    if (!c) return;
    for (uint i = 0; i < c->count; i++) { free(c->dev[i].procs); free(c->dev[i].faults); free(c->dev[i].lats); free(c->dev[i].migs); }
    free(c->dev); free(c->faults); free(c->lats); free(c);
}

/* "*", "3", "0-3", "0,2,5-7" -> is i selected? */
static int selected(const char *s, int i)
{
    while (*s) {
        while (*s == ' ' || *s == ',') s++;
        if (*s == '*') return 1;
        char *e; long a = strtol(s, &e, 10), b = a;
        if (e == s) return 0;
        if (*e == '-') b = strtol(e + 1, &e, 10);
        if (i >= a && i <= b) return 1;
        s = e;
    }
    return 0;
}

static Config *parse(const char *text)
{
    Config *c = calloc(1, sizeof *c); uint count = 1;
    c->boot_error = E_UNINIT; strcpy(c->driver, "580.95.05"); strcpy(c->branch, "r580_00"); c->cuda = 13000; c->pcie_sample_ms = 20; c->nvml[0] = 0;
    for (int pass = 0; pass < 2; pass++) {
        char line[1024]; const char *p = text; int ln = 0; char sec[64] = "system", sel[64] = "";
        if (pass) {
            if (count > MAX_DEV) { perr(c, 0, "count %u > %d", count, MAX_DEV); count = MAX_DEV; }
            c->count = count; c->dev = calloc(count ? count : 1, sizeof *c->dev);
            for (uint i = 0; i < count; i++) dev_defaults(c, (int)i);
        }
        while (*p) {
            size_t n = strcspn(p, "\n"); snprintf(line, sizeof line, "%.*s", (int)n, p); p += n; if (*p) p++;
            ln++;
            for (char *h = line; *h; h++) if (*h == '#' && (h == line || isspace((unsigned char)h[-1]))) { *h = 0; break; }
            char *s = trim(line);
            if (!*s) continue;
            if (*s == '[') {
                char *e = strchr(s, ']'); if (!e) { if (pass) perr(c, ln, "missing ]"); continue; }
                *e = 0; s = trim(s + 1);
                if (!strncmp(s, "device", 6)) { strcpy(sec, "device"); snprintf(sel, sizeof sel, "%s", trim(s + 6)); }
                else if (!strcmp(s, "system")) strcpy(sec, "system");
                else { strcpy(sec, "?"); if (pass) perr(c, ln, "unknown section [%s]", s); }
                continue;
            }
            char *eq = strchr(s, '='); if (!eq) { if (pass) perr(c, ln, "expected key = value"); continue; }
            *eq = 0; char *key = trim(s), *val = trim(eq + 1);
            if (!pass) { if (!strcmp(sec, "system") && !strcmp(key, "count")) count = (uint)atoi(val); continue; }
            if (!strcmp(sec, "system")) set_sys(c, ln, key, val);
            else if (!strcmp(sec, "device")) {
                for (uint i = 0; i < count; i++) if (selected(sel, (int)i)) { char v[1024]; snprintf(v, sizeof v, "%s", val); set_dev(c, ln, (int)i, key, v); }
            }
        }
    }
    if (!c->nvml[0]) snprintf(c->nvml, sizeof c->nvml, "%d.%.70s", c->cuda / 1000, c->driver);
    return c;
}

static int midpoint_ok(const Val *v) { return !v->na; }
static double mid(const Val *v) { return v->na ? 0 : (v->a + v->b) / 2; }

/* the clock that counters grow by: `clock = S` of the scenario, else the machine's */
static double count_clock(void) { return g_cfg->clock > 0 ? g_cfg->clock : now_mono(); }

/* advance the monotonically growing counters with the current rates */
static void accrue(int i)
{
    double t = count_clock(); Device *d = &g_cfg->dev[i];
    double dt = A[i].t ? t - A[i].t : t; /* first time: as if running since boot */
    double w = midpoint_ok(&d->power) ? (A[i].t ? ev(&d->power, i) : mid(&d->power)) : 0;
    A[i].energy += dt * w * 1000;
    A[i].ntx += dt * (A[i].t ? ev(&d->nvl_tx, i) : mid(&d->nvl_tx));
    A[i].nrx += dt * (A[i].t ? ev(&d->nvl_rx, i) : mid(&d->nvl_rx));
    if (!d->ptx.na) A[i].ptx += dt * 1024 * ev(&d->ptx, i);
    if (!d->prx.na) A[i].prx += dt * 1024 * ev(&d->prx, i);
    A[i].t = t;
}

/* stat() the scenario on every call; re-parse only when it changed */
static void reload(void)
{
    const char *path = getenv("FAKE_NVML_SCENARIO"); struct stat st;
    if (!path || stat(path, &st) != 0) {
        if (!g_cfg) { g_cfg = parse(""); if (path) perr(g_cfg, 0, "cannot read %s: %s", path, strerror(errno)); }
        return; /* file vanished mid-run: keep the last good state */
    }
    if (g_have_file && st.st_mtim.tv_sec == g_mtime.tv_sec && st.st_mtim.tv_nsec == g_mtime.tv_nsec &&
        st.st_size == g_size && st.st_ino == g_ino) return;
    FILE *f = fopen(path, "r"); if (!f) { if (!g_cfg) g_cfg = parse(""); return; }
    char *buf = calloc(1, (size_t)st.st_size + 1);
    size_t n = fread(buf, 1, (size_t)st.st_size, f); buf[n] = 0; fclose(f);
    if (n == 0 && g_cfg) { free(buf); return; } /* half-written file */
    if (g_cfg) for (uint i = 0; i < g_cfg->count && i < MAX_DEV; i++) if (A[i].t) accrue((int)i);
    Config *c = parse(buf); free(buf);
    free_config(g_cfg); g_cfg = c; g_reloads++; g_load_t = now_mono();
    g_have_file = 1; g_mtime = st.st_mtim; g_size = st.st_size; g_ino = st.st_ino;
}

/* ------------------------------------------------------- logging of calls */
static void expand(const char *in, char *out, size_t n)
{
    const char *p = strstr(in, "%p");
    if (p) snprintf(out, n, "%.*s%d%s", (int)(p - in), in, (int)getpid(), p + 2);
    else if (g_pid && g_pid != getpid()) snprintf(out, n, "%s.%d", in, (int)getpid()); /* forked child */
    else snprintf(out, n, "%s", in);
}
static int by_calls(const void *a, const void *b)
{
    const Fn *x = *(Fn *const *)a, *y = *(Fn *const *)b;
    return x->calls < y->calls ? 1 : x->calls > y->calls ? -1 : strcmp(x->name, y->name);
}
static void flush_log(void)
{
    const char *p = getenv("FAKE_NVML_LOG"); char path[PATH_MAX], tmp[PATH_MAX + 8];
    if (g_trace) fflush(g_trace);
    if (!p || !*p) return;
    expand(p, path, sizeof path); snprintf(tmp, sizeof tmp, "%s.tmp", path);
    FILE *f = fopen(tmp, "w"); if (!f) return;
    fprintf(f, "# fake_nvml pid=%d seconds=%.3f scenario_loads=%llu parse_errors=%u\n", (int)getpid(),
            g_t0 < 0 ? 0.0 : now_mono() - g_t0, g_reloads, g_cfg ? g_cfg->nerrors : 0);
    if (g_cfg && g_cfg->nerrors) for (char *s = g_cfg->errors; *s;) { size_t n = strcspn(s, "\n"); fprintf(f, "# %.*s\n", (int)n, s); s += n + (s[n] != 0); }
    fprintf(f, "total %llu\n", g_total);
    Fn *v[512]; uint n = 0; for (Fn *x = g_fns; x && n < 512; x = x->next) v[n++] = x;
    qsort(v, n, sizeof v[0], by_calls);
    for (uint i = 0; i < n; i++) fprintf(f, "%s %llu %llu\n", v[i]->name, v[i]->calls, v[i]->errors);
    fclose(f); rename(tmp, path);
}
static void at_fork_prepare(void) { pthread_mutex_lock(&g_lock); }
static void at_fork_parent(void) { pthread_mutex_unlock(&g_lock); }
static void at_fork_child(void)
{
    for (Fn *x = g_fns; x; x = x->next) x->calls = x->errors = 0;
    g_total = 0; g_trace = NULL; /* the parent owns that stream */
    pthread_mutex_unlock(&g_lock);
}
__attribute__((constructor)) static void on_load(void)
{
    g_pid = getpid();
    const char *until = getenv("FAKE_NVML_LOAD_HANG"); /* loading takes until this file is gone */
    while (until && access(until, F_OK) == 0) usleep(20000);
    pthread_atfork(at_fork_prepare, at_fork_parent, at_fork_child);
}
__attribute__((destructor)) static void on_unload(void) { if (pthread_mutex_trylock(&g_lock) == 0) { if (g_total) flush_log(); pthread_mutex_unlock(&g_lock); } }

static void trace(Fn *f, const char *name, int dev, int mig, Ret r, double t)
{
    const char *p = getenv("FAKE_NVML_TRACE"); (void)f;
    if (!p || !*p) return;
    if (!g_trace) { char path[PATH_MAX]; expand(p, path, sizeof path); g_trace = fopen(path, "w"); if (!g_trace) return; setvbuf(g_trace, NULL, _IOFBF, 1 << 16); }
    fprintf(g_trace, "%.6f %ld %s %d %d %d %.0f\n", t, (long)syscall(SYS_gettid), name, dev, mig, r, (now_real() - t) * 1e6);
}

/* ------------------------------------------------- handles, faults, latency */
static Handle *hnd(int dev, int mig) { Handle *h = &H[dev][mig + 1]; *h = (Handle){ MAGIC, dev, mig }; return h; }
static Handle *as_handle(const void *p)
{
    const char *q = p, *base = (const char *)H;
    if (q < base || q >= base + sizeof H || (size_t)(q - base) % sizeof(Handle)) return NULL;
    Handle *h = (Handle *)p;
    return h->magic == MAGIC ? h : NULL;
}
static uint dev_count(void) { return g_cfg->freeze_count && g_init ? g_frozen_count : g_cfg->count; }

static int fault_hit(const Fault *f, int mig, u64 ncall)
{
    if (f->where && (f->where == 2) != (mig >= 0)) return 0;
    double t = g_t0 < 0 ? 0 : now_mono() - g_t0;
    if (f->after > 0 && t < f->after) return 0;
    if (f->until >= 0 && t >= f->until) return 0;
    if (f->every > 1 && ncall % f->every) return 0;
    return 1;
}
static Ret fault_for(const char *name, int dev, int mig, u64 ncall)
{
    int best = -1, code = OK;
    for (uint i = 0; i < g_cfg->nfaults; i++) {
        Fault *f = &g_cfg->faults[i];
        if (pat_match(f->pat, name) && f->spec >= best && fault_hit(f, mig, ncall)) { best = f->spec; code = f->code; }
    }
    if (dev >= 0 && (uint)dev < g_cfg->count) for (uint i = 0; i < g_cfg->dev[dev].nfaults; i++) {
        Fault *f = &g_cfg->dev[dev].faults[i]; int s = f->spec + 10000;
        if (pat_match(f->pat, name) && s >= best && fault_hit(f, mig, ncall)) { best = s; code = f->code; }
    }
    return code;
}
static int lat_on(const Lat *l) { double t = g_t0 < 0 ? 0 : now_mono() - g_t0; return t >= l->after && (l->until < 0 || t < l->until); }
static const Lat *lat_for(const char *name, int dev, int own)
{
    const Lat *b = NULL; int best = -1;
    if (!own) for (uint i = 0; i < g_cfg->nlats; i++) { Lat *l = &g_cfg->lats[i]; if (pat_match(l->pat, name) && l->spec >= best && lat_on(l)) { best = l->spec; b = l; } }
    if (dev >= 0 && (uint)dev < g_cfg->count) for (uint i = 0; i < g_cfg->dev[dev].nlats; i++) {
        Lat *l = &g_cfg->dev[dev].lats[i]; if (pat_match(l->pat, name) && l->spec + 10000 >= best && lat_on(l)) { best = l->spec + 10000; b = l; } }
    return b;
}
static void nap(double ms)
{
    double end = now_mono() + ms / 1000, left;
    while ((left = end - now_mono()) > 0) { struct timespec t = { (time_t)left, (long)((left - (double)(time_t)left) * 1e9) }; nanosleep(&t, NULL); }
}
static pthread_mutex_t g_slow = PTHREAD_MUTEX_INITIALIZER; /* the "driver lock" of latency_lock = on */

/* Simulated driver time.  Called with g_lock held; drops it while waiting. */
static void driver_time(const char *name, int dev, int own) /* own: the device's own rules only */
{
    const Lat *l = lat_for(name, dev, own); if (!l) return;
    int serial = g_cfg->lock_latency;
    if (l->hang) {
        flush_log(); /* so that the log of a stuck program shows where it is stuck */
        while ((l = lat_for(name, dev, own)) && l->hang) { /* ends when the scenario is edited */
            pthread_mutex_unlock(&g_lock); nap(50); pthread_mutex_lock(&g_lock); reload();
        }
        return;
    }
    if (l->ms <= 0) return;
    double ms = l->ms;
    pthread_mutex_unlock(&g_lock);
    if (serial) pthread_mutex_lock(&g_slow);
    nap(ms);
    if (serial) pthread_mutex_unlock(&g_slow);
    pthread_mutex_lock(&g_lock); reload();
}

typedef struct { Fn *fn; const char *name; double t; int dev, mig; Device *d; Mig *m; } Ctx;
/* -DFAKE_NVML_BUILD="570.10": the library of that driver, which no other driver answers */
static int mismatched(void)
{
#ifdef FAKE_NVML_BUILD
    return strcmp(FAKE_NVML_BUILD, g_cfg->driver) != 0;
#else
    return 0;
#endif
}
enum { F_DEV = 1, F_MIGOK = 2, F_NOINIT = 4 };

static Ret enter(Ctx *x, Fn *fn, const char *name, const void *h, int flags)
{
    pthread_mutex_lock(&g_lock);
    reload();
    if (!fn->name) { fn->name = name; fn->next = g_fns; g_fns = fn; }
    fn->calls++; g_total++;
    u64 ncall = fn->calls;
    x->fn = fn; x->name = name; x->t = now_real(); x->dev = x->mig = -1; x->d = NULL; x->m = NULL;
    Handle *hh = as_handle(h);
    if (hh) { x->dev = hh->dev; x->mig = hh->mig; }
    driver_time(name, x->dev, 0);
    if (!(flags & F_NOINIT)) {
        if (!g_init) return E_UNINIT;
        if (mismatched()) return E_MISMATCH;
        if (g_boot != g_cfg->boot) return g_cfg->boot_error;
    }
    if (flags & F_DEV) {
        if (!hh) return E_ARG;
        if ((uint)hh->dev >= g_cfg->count) return E_LOST; /* removed from the scenario */
        x->d = &g_cfg->dev[hh->dev];
        Ret r = fault_for(name, hh->dev, hh->mig, ncall); if (r) return r;
        if (hh->mig >= 0) {
            if (x->d->mig != 1 || (uint)hh->mig >= x->d->nmigs) return E_ARG; /* MIG device destroyed */
            x->m = &x->d->migs[hh->mig];
            if (!(flags & F_MIGOK)) return E_NOTSUP;
        }
        return OK;
    }
    return fault_for(name, -1, -1, ncall);
}
static Ret leave(Ctx *x, Ret r)
{
    if (r != OK && r != E_SIZE) x->fn->errors++;
    trace(x->fn, x->name, x->dev, x->mig, r, x->t);
    double t = now_mono(); if (t - g_last_flush > 0.5) { g_last_flush = t; flush_log(); }
    pthread_mutex_unlock(&g_lock);
    return r;
}
#define BEGIN(h, fl) static Fn fn_; Ctx x; { Ret r_ = enter(&x, &fn_, __func__, (h), (fl)); if (r_) return leave(&x, r_); } Device *d = x.d; (void)d
#define RET(v) return leave(&x, (v))
#define NEED(p) do { if (!(p)) RET(E_ARG); } while (0)
#define EV(f) ev(&d->f, x.dev)

static Ret put_str(char *out, uint len, const char *s)
{
    if (!out) return E_ARG;
    size_t n = strlen(s) + 1; if (len < n) return E_SIZE;
    memcpy(out, s, n); return OK;
}
static Ret put_u(uint *out, const Val *v, int dev) { if (!out) return E_ARG; if (v->na) return E_NOTSUP; *out = (uint)(ev(v, dev) + 0.5); return OK; }

/* ================================================================ library */
static Ret do_init(const char *name, Fn *fn)
{
    Ctx x; Ret r = enter(&x, fn, name, NULL, F_NOINIT);
    if (!r && mismatched()) r = E_MISMATCH;
    if (!r && !g_init) g_boot = g_cfg->boot;
    if (!r) { if (g_t0 < 0) g_t0 = now_mono(); if (!g_init++) g_frozen_count = g_cfg->count; g_ever_init = 1; }
    else if (g_t0 < 0) g_t0 = now_mono();
    return leave(&x, r);
}
API Ret nvmlInit(void) { static Fn f; return do_init(__func__, &f); }
API Ret nvmlInit_v2(void) { static Fn f; return do_init(__func__, &f); }
API Ret nvmlInitWithFlags(uint flags) { static Fn f; (void)flags; return do_init(__func__, &f); }

/* Documented: refcounted, and no error for more shutdowns than inits. */
API Ret nvmlShutdown(void)
{
    BEGIN(NULL, F_NOINIT);
    if (!g_ever_init) RET(E_UNINIT);
    if (!g_init) RET(g_cfg->extra_shutdown_error ? E_UNINIT : OK);
    g_init--; g_last_flush = 0;
    RET(OK);
}
API const char *nvmlErrorString(Ret r)
{
    for (size_t i = 0; i < N_ERR; i++) if (ERR[i].code == r) return ERR[i].text;
    return "Unknown Error";
}
/* not an NVML function: lets test code ask whether the scenario parsed */
API uint fake_nvml_parse_errors(char *out, uint len)
{
    pthread_mutex_lock(&g_lock); reload(); uint n = g_cfg->nerrors;
    if (out && len) snprintf(out, len, "%s", g_cfg->errors);
    pthread_mutex_unlock(&g_lock); return n;
}

API Ret nvmlSystemGetDriverVersion(char *v, uint n) { BEGIN(NULL, 0); RET(put_str(v, n, g_cfg->driver)); }
API Ret nvmlSystemGetCudaDriverVersion(int *v) { BEGIN(NULL, F_NOINIT); NEED(v); *v = g_cfg->cuda; RET(OK); }

/* ================================================================= devices */
API Ret nvmlDeviceGetCount_v2(uint *n) { BEGIN(NULL, 0); NEED(n); *n = dev_count(); RET(OK); }
static Ret open_dev(Ctx *x, int i, void **out)
{
    x->dev = i;
    driver_time(x->name, i, 1); if ((uint)i >= g_cfg->count) return E_LOST;
    Ret r = fault_for(x->name, i, -1, x->fn->calls); if (r) return r;
    *out = hnd(i, -1); return OK;
}
API Ret nvmlDeviceGetHandleByIndex_v2(uint i, void **out) { BEGIN(NULL, 0); if (!out || i >= dev_count() || i >= g_cfg->count) RET(E_ARG); RET(open_dev(&x, (int)i, out)); }
static Ret by_pci(Ctx *x, const char *id, void **out)
{
    if (!id || !out) return E_ARG;
    uint dom = 0, bus, dev, fn = 0; int n = 0, ok = 0;
    if (sscanf(id, "%x:%x:%x.%x%n", &dom, &bus, &dev, &fn, &n) == 4 && !id[n]) ok = 1;
    else if (sscanf(id, "%x:%x:%x%n", &dom, &bus, &dev, &n) == 3 && !id[n]) ok = 1;
    else { dom = 0; if (sscanf(id, "%x:%x.%x%n", &bus, &dev, &fn, &n) == 3 && !id[n]) ok = 1; }
    if (!ok) return E_ARG;
    for (uint i = 0; i < dev_count(); i++) { Device *d = &g_cfg->dev[i]; if (d->dom == dom && d->busno == bus && d->devno == dev) return open_dev(x, (int)i, out); }
    return E_NOTFOUND;
}
API Ret nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **out) { BEGIN(NULL, 0); RET(by_pci(&x, id, out)); }

#define DM (F_DEV | F_MIGOK)
API Ret nvmlDeviceGetName(void *h, char *s, uint n)
{
    BEGIN(h, DM); char b[160];
    if (x.m) snprintf(b, sizeof b, "%s MIG %s", d->name, x.m->profile); else snprintf(b, sizeof b, "%s", d->name);
    b[95] = 0; RET(put_str(s, n, b));
}
API Ret nvmlDeviceGetUUID(void *h, char *s, uint n) { BEGIN(h, DM); RET(put_str(s, n, x.m ? x.m->uuid : d->uuid)); }
API Ret nvmlDeviceGetIndex(void *h, uint *v) { BEGIN(h, DM); NEED(v); *v = (uint)(x.m ? x.mig : x.dev); RET(OK); }
API Ret nvmlDeviceGetDisplayActive(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_u(v, &d->disp_active, x.dev)); }
API Ret nvmlDeviceGetPersistenceMode(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_u(v, &d->persistence, x.dev)); }
API Ret nvmlDeviceGetDriverModel_v2(void *h, uint *a, uint *b) { BEGIN(h, F_DEV); (void)a; (void)b; RET(E_NOTSUP); } /* Windows only */

/* -------------------------------------------------------------------- PCI */
typedef struct { char busIdLegacy[16]; uint domain, bus, device, pciDeviceId, pciSubSystemId; char busId[32]; } Pci;
static void fill_pci(const Device *d, Pci *p)
{
    memset(p, 0, sizeof *p); p->domain = d->dom; p->bus = d->busno; p->device = d->devno; p->pciDeviceId = d->pci_id; p->pciSubSystemId = d->subsys;
    snprintf(p->busIdLegacy, sizeof p->busIdLegacy, "%04X:%02X:%02X.0", d->dom & 0xFFFF, d->busno & 0xFF, d->devno & 0xFF);
    snprintf(p->busId, sizeof p->busId, "%08X:%02X:%02X.0", d->dom, d->busno & 0xFF, d->devno & 0xFF);
}
API Ret nvmlDeviceGetPciInfo_v3(void *h, Pci *p) { BEGIN(h, F_DEV); NEED(p); fill_pci(d, p); RET(OK); }

API Ret nvmlDeviceGetCurrPcieLinkGeneration(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_u(v, &d->gen, x.dev)); }
API Ret nvmlDeviceGetMaxPcieLinkGeneration(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_u(v, &d->genmax, x.dev)); }
API Ret nvmlDeviceGetCurrPcieLinkWidth(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_u(v, &d->width, x.dev)); }
API Ret nvmlDeviceGetMaxPcieLinkWidth(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_u(v, &d->widthmax, x.dev)); }
/* documented: counts bytes over a 20 ms interval, so the call takes that long */
API Ret nvmlDeviceGetPcieThroughput(void *h, uint which, uint *v)
{
    BEGIN(h, F_DEV); NEED(v); if (which > 1) RET(E_ARG);
    if ((which ? d->prx : d->ptx).na) RET(E_NOTSUP);
    double ms = g_cfg->pcie_sample_ms;
    if (ms > 0) {
        pthread_mutex_unlock(&g_lock); nap(ms); pthread_mutex_lock(&g_lock); reload();
        if ((uint)x.dev >= g_cfg->count) RET(E_LOST);
        d = &g_cfg->dev[x.dev];
    }
    RET(put_u(v, which ? &d->prx : &d->ptx, x.dev));
}

/* ----------------------------------------------------------------- memory */
typedef struct { u64 total, free, used; } Mem1;
typedef struct { uint version; u64 total, reserved, free, used; } Mem2;
static Ret mem_info(Ctx *x, Mem2 *o)
{
    Device *d = x->d; double total, res, used; memset(o, 0, sizeof *o);
    if (d->mem_total.na) return E_NOTSUP; /* no dedicated framebuffer */
    if (x->m) {
        total = ev(&x->m->total, x->dev); res = ev(&x->m->reserved, x->dev); used = ev(&x->m->used, x->dev);
        if (!x->m->used_set) for (uint i = 0; i < d->nprocs; i++) if (d->procs[i].gi == x->m->gi && !d->procs[i].mem.na) used += ev(&d->procs[i].mem, x->dev);
    } else {
        total = ev(&d->mem_total, x->dev); res = ev(&d->mem_reserved, x->dev); used = ev(&d->mem_used, x->dev);
        if (!d->mem_used_set) for (uint i = 0; i < d->nprocs; i++) if (!d->procs[i].mem.na) used += ev(&d->procs[i].mem, x->dev);
    }
    if (res > total) res = total;
    if (used > total - res) used = total - res;
    o->total = (u64)total; o->reserved = (u64)res; o->used = (u64)used; o->free = o->total - o->reserved - o->used;
    return OK;
}
/* v1: used = reserved + allocated, total = used + free */
API Ret nvmlDeviceGetMemoryInfo(void *h, Mem1 *m)
{
    BEGIN(h, DM); NEED(m); Mem2 o; Ret r = mem_info(&x, &o); if (r) RET(r);
    m->total = o.total; m->free = o.free; m->used = o.reserved + o.used; RET(OK);
}
#ifndef FAKE_NVML_OLD /* before R470 */
/* v2: reserved is its own field, used = allocated only */
API Ret nvmlDeviceGetMemoryInfo_v2(void *h, Mem2 *m)
{
    BEGIN(h, DM); NEED(m); if (m->version != (sizeof *m | 2u << 24)) RET(E_VERSION);
    Mem2 o; Ret r = mem_info(&x, &o); if (r) RET(r);
    o.version = m->version; *m = o; RET(OK);
}
#endif
typedef struct { u64 total, free, used; } A_DeviceGetBAR1MemoryInfo;
API Ret nvmlDeviceGetBAR1MemoryInfo(void *h, A_DeviceGetBAR1MemoryInfo *m)
{
    BEGIN(h, DM); NEED(m); if (d->bar1_total.na) RET(E_NOTSUP);
    u64 t = (u64)EV(bar1_total), u = (u64)EV(bar1_used); if (x.m && d->nmigs) { t /= d->nmigs; u /= d->nmigs; }
    m->total = t; m->used = u > t ? t : u; m->free = t - m->used; RET(OK);
}

/* ------------------------------------------------------------ utilization */
static Ret util_pair(Ctx *x, uint *u, uint *period, const Val *v)
{
    if (!u || !period) return E_ARG;
    if (x->d->mig == 1 || v->na) return E_NOTSUP; /* documented for MIG-enabled GPUs */
    *u = (uint)(ev(v, x->dev) + 0.5); *period = 167000; return OK;
}
typedef struct { uint gpu, memory; } A_DeviceGetUtilizationRates;
API Ret nvmlDeviceGetUtilizationRates(void *h, A_DeviceGetUtilizationRates *u)
{
    BEGIN(h, DM); NEED(u); if (d->mig == 1 || d->util.na) RET(E_NOTSUP);
    u->gpu = (uint)(EV(util) + 0.5); u->memory = d->memutil.na ? 0 : (uint)(EV(memutil) + 0.5); RET(OK);
}
API Ret nvmlDeviceGetEncoderUtilization(void *h, uint *u, uint *p) { BEGIN(h, DM); RET(util_pair(&x, u, p, &d->enc)); }
API Ret nvmlDeviceGetDecoderUtilization(void *h, uint *u, uint *p) { BEGIN(h, DM); RET(util_pair(&x, u, p, &d->dec)); }

/* ------------------------------------------------- temperature, fan, power */
API Ret nvmlDeviceGetTemperature(void *h, uint sensor, uint *t) { BEGIN(h, F_DEV); NEED(t); if (sensor > 1) RET(E_ARG); if (sensor == 1) RET(E_NOTSUP); RET(put_u(t, &d->temp, x.dev)); }
typedef struct { uint version, sensor; int t; } A_DeviceGetTemperatureV;
API Ret nvmlDeviceGetTemperatureV(void *h, A_DeviceGetTemperatureV *o)
{
    BEGIN(h, F_DEV); NEED(o); if (o->version != (sizeof *o | 1u << 24)) RET(E_VERSION);
    if (o->sensor > 1) RET(E_ARG);
    if (o->sensor == 1 || d->temp.na) RET(E_NOTSUP);
    o->t = (int)EV(temp); RET(OK);
}
API Ret nvmlDeviceGetTemperatureThreshold(void *h, uint which, uint *t)
{
    BEGIN(h, F_DEV); NEED(t); if (which > 3) RET(E_ARG);
    const Val *v[] = { &d->th_shutdown, &d->th_slowdown, &d->th_memmax, &d->th_gpumax };
    RET(put_u(t, v[which], x.dev));
}
API Ret nvmlDeviceGetFanSpeed(void *h, uint *v) { BEGIN(h, F_DEV); NEED(v); if (!d->nfans) RET(E_NOTSUP); RET(put_u(v, &d->fan[0], x.dev)); }
static Ret put_mw(uint *out, const Val *v, int dev) { if (!out) return E_ARG; if (v->na) return E_NOTSUP; *out = (uint)(ev(v, dev) * 1000 + 0.5); return OK; }
API Ret nvmlDeviceGetPowerUsage(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_mw(v, &d->power, x.dev)); }
API Ret nvmlDeviceGetPowerManagementLimit(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_mw(v, &d->plimit, x.dev)); }
API Ret nvmlDeviceGetEnforcedPowerLimit(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_mw(v, d->penforced.na == 2 ? &d->plimit : &d->penforced, x.dev)); }
API Ret nvmlDeviceGetPerformanceState(void *h, uint *v) { BEGIN(h, F_DEV); RET(put_u(v, &d->pstate, x.dev)); }

/* ----------------------------------------------------------------- clocks */
API Ret nvmlDeviceGetClockInfo(void *h, uint type, uint *v) { BEGIN(h, F_DEV); if (type > 3) RET(E_ARG); RET(put_u(v, &d->clk[type], x.dev)); }
API Ret nvmlDeviceGetMaxClockInfo(void *h, uint type, uint *v) { BEGIN(h, F_DEV); if (type > 3) RET(E_ARG); RET(put_u(v, &d->clkmax[type], x.dev)); }
static Ret event_reasons(Ctx *x, u64 *v) { if (!v) return E_ARG; if (x->d->clk[0].na) return E_NOTSUP; *v = x->d->throttle; return OK; }
API Ret nvmlDeviceGetCurrentClocksThrottleReasons(void *h, u64 *v) { BEGIN(h, F_DEV); RET(event_reasons(&x, v)); }
#ifndef FAKE_NVML_OLD /* before R535 */
API Ret nvmlDeviceGetCurrentClocksEventReasons(void *h, u64 *v) { BEGIN(h, F_DEV); RET(event_reasons(&x, v)); }
#endif

/* -------------------------------------------------------------------- ECC */
API Ret nvmlDeviceGetComputeMode(void *h, uint *v) { BEGIN(h, DM); RET(put_u(v, &d->compute_mode, x.dev)); }
static Ret ecc_count(Ctx *x, uint type, uint ctr, u64 *out)
{
    Device *d = x->d; if (!out || type > 1 || ctr > 1) return E_ARG;
    if (d->ecc != 1) return E_NOTSUP;
    const Val *v = type ? (ctr ? &d->ecc_ua : &d->ecc_uv) : (ctr ? &d->ecc_ca : &d->ecc_cv);
    *out = (u64)ev(v, x->dev); return OK;
}
API Ret nvmlDeviceGetTotalEccErrors(void *h, uint t, uint c, u64 *v) { BEGIN(h, F_DEV); RET(ecc_count(&x, t, c, v)); }

/* -------------------------------------------------------------- processes */
typedef struct { uint pid; u64 mem; } P1;
typedef struct { uint pid; u64 mem; uint gi, ci; } P2;
typedef struct { uint pid; u64 mem; uint gi, ci; u64 cc; } P3L; /* the short-lived 32-byte v3 layout of early R535 */
static int has_type(const Proc *p, char mode)
{
    if (mode == 'A') return 1;
    if (mode == 'C') return strchr(p->type, 'C') != NULL;
    if (mode == 'G') return strchr(p->type, 'G') != NULL;
    return strchr(p->type, 'M') != NULL;
}
static Ret procs(Ctx *x, char mode, uint *n, void *out, size_t stride)
{
    Device *d = x->d; uint need = 0; if (!n) return E_ARG;
    for (uint i = 0; i < d->nprocs; i++) if (has_type(&d->procs[i], mode) && (!x->m || d->procs[i].gi == x->m->gi)) need++;
    if (*n < need) { *n = need; return E_SIZE; }
    if (need && !out) return E_ARG;
    uint k = 0;
    for (uint i = 0; i < d->nprocs; i++) {
        const Proc *p = &d->procs[i];
        if (!has_type(p, mode) || (x->m && p->gi != x->m->gi)) continue;
        char *o = (char *)out + stride * k++;
        P3L t; memset(&t, 0, sizeof t); t.pid = p->pid; t.mem = p->mem.na ? NA_U64 : (u64)ev(&p->mem, x->dev);
        t.gi = d->mig == 1 ? p->gi : NA_U32; t.ci = d->mig == 1 ? p->ci : NA_U32; t.cc = 0;
        memcpy(o, &t, stride); /* P1, P2 and P3L are prefixes of one another */
    }
    *n = need; return OK;
}
#ifdef FAKE_NVML_R535 /* 535.43 to 535.86: the third version of the calls with 32 bytes a process */
#define P3 P3L
#else
#define P3 P2
#endif
API Ret nvmlDeviceGetComputeRunningProcesses_v2(void *h, uint *n, P2 *o) { BEGIN(h, DM); RET(procs(&x, 'C', n, o, sizeof(P2))); }
#ifndef FAKE_NVML_OLD /* before R495 */
API Ret nvmlDeviceGetComputeRunningProcesses_v3(void *h, uint *n, void *o) { BEGIN(h, DM); RET(procs(&x, 'C', n, o, sizeof(P3))); }
#endif
API Ret nvmlDeviceGetGraphicsRunningProcesses_v2(void *h, uint *n, P2 *o) { BEGIN(h, DM); RET(procs(&x, 'G', n, o, sizeof(P2))); }
#ifndef FAKE_NVML_OLD /* before R495 */
API Ret nvmlDeviceGetGraphicsRunningProcesses_v3(void *h, uint *n, void *o) { BEGIN(h, DM); RET(procs(&x, 'G', n, o, sizeof(P3))); }
#endif
API Ret nvmlDeviceGetMPSComputeRunningProcesses_v2(void *h, uint *n, P2 *o) { BEGIN(h, DM); RET(procs(&x, 'M', n, o, sizeof(P2))); }
#ifndef FAKE_NVML_OLD /* before R495 */
API Ret nvmlDeviceGetMPSComputeRunningProcesses_v3(void *h, uint *n, void *o) { BEGIN(h, DM); RET(procs(&x, 'M', n, o, sizeof(P3))); }
#endif
API Ret nvmlDeviceGetConfComputeMemSizeInfo(void *h, void *o) { BEGIN(h, DM); (void)o; RET(E_NOTSUP); }
#ifndef FAKE_NVML_R535 /* came with 535.104, and with it the third version had 24 bytes again */
API Ret nvmlDeviceGetRunningProcessDetailList(void *h, void *o) { BEGIN(h, DM); (void)o; RET(E_NOTSUP); }
#endif
typedef struct { uint pid; u64 ts; uint sm, mem, enc, dec; } US;
typedef struct { u64 ts; uint pid, sm, mem, enc, dec, jpg, ofa; } UI;
/* one sample per process that was active; none newer than lastSeen -> NOT_FOUND */
static Ret samples(Ctx *x, u64 since, uint *n, void *out, int info)
{
    Device *d = x->d; u64 ts = g_cfg->clock > 0 ? (u64)(g_cfg->clock * 1e6) : now_us(); ts -= ts % 100000; uint need = 0;
    if (!n) return E_ARG;
    if (d->mig == 1 || d->util.na) return E_NOTSUP;
    for (uint i = 0; i < d->nprocs; i++) { const Proc *p = &d->procs[i]; if (ts > since && ev(&p->sm, x->dev) + ev(&p->memutil, x->dev) + ev(&p->enc, x->dev) + ev(&p->dec, x->dev) > 0) need++; }
    if (!need) { *n = 0; return E_NOTFOUND; }
    if (!out || *n < need) { *n = need; return E_SIZE; }
    uint k = 0;
    for (uint i = 0; i < d->nprocs; i++) {
        const Proc *p = &d->procs[i]; uint sm = (uint)ev(&p->sm, x->dev), mu = (uint)ev(&p->memutil, x->dev), en = (uint)ev(&p->enc, x->dev), de = (uint)ev(&p->dec, x->dev);
        if (ev(&p->sm, x->dev) + ev(&p->memutil, x->dev) + ev(&p->enc, x->dev) + ev(&p->dec, x->dev) <= 0) continue;
        if (k >= need) break;
        if (info) ((UI *)out)[k++] = (UI){ ts, p->pid, sm, mu, en, de, 0, 0 };
        else ((US *)out)[k++] = (US){ p->pid, ts, sm, mu, en, de };
    }
    *n = k; return OK;
}
API Ret nvmlDeviceGetProcessUtilization(void *h, US *u, uint *n, u64 since) { BEGIN(h, F_DEV); RET(samples(&x, since, n, u, 0)); }

/* -------------------------------------------------------------------- MIG */
API Ret nvmlDeviceGetMigMode(void *h, uint *a, uint *b) { BEGIN(h, F_DEV); if (!a || !b) RET(E_ARG); if (d->mig < 0) RET(E_NOTSUP); *a = *b = (uint)d->mig; RET(OK); }
API Ret nvmlDeviceIsMigDeviceHandle(void *h, uint *v) { BEGIN(h, DM); NEED(v); *v = x.m != NULL; RET(OK); }
API Ret nvmlDeviceGetMaxMigDeviceCount(void *h, uint *v) { BEGIN(h, F_DEV); NEED(v); *v = d->mig == 1 ? 7 : 0; RET(OK); }
API Ret nvmlDeviceGetMigDeviceHandleByIndex(void *h, uint i, void **out)
{
    BEGIN(h, F_DEV); NEED(out); if (d->mig < 0) RET(E_NOTSUP);
    if (d->mig == 0) RET(E_NOTFOUND);
    if (i >= (d->nmigs > 7 ? d->nmigs : 7)) RET(E_ARG);
    if (i >= d->nmigs) RET(E_NOTFOUND);
    *out = hnd(x.dev, (int)i); RET(OK);
}
API Ret nvmlDeviceGetGpuInstanceId(void *h, uint *v) { BEGIN(h, DM); NEED(v); if (!x.m) RET(d->mig < 0 ? E_NOTSUP : E_ARG); *v = x.m->gi; RET(OK); }
API Ret nvmlDeviceGetComputeInstanceId(void *h, uint *v) { BEGIN(h, DM); NEED(v); if (!x.m) RET(d->mig < 0 ? E_NOTSUP : E_ARG); *v = x.m->ci; RET(OK); }

/* ---------------------------------------------------------- field values */
typedef union { double d; int i; uint u; unsigned long ul; u64 ull; long long sll; } NvVal;
typedef struct { uint id, scope; long long ts, lat; uint vt; Ret r; NvVal v; } Fv;
enum { T_DBL, T_U32, T_UL, T_U64 };
static void fset(Fv *f, double x) { f->r = OK; f->vt = T_U64; f->v.ull = (u64)x; }
/* the counters of NVLink (KiB) and PCIe (bytes); a field's own answer stands in its nvmlReturn */
static void one_field(Ctx *x, Fv *f)
{
    Device *d = x->d; int n = x->dev; uint id = f->id;
    f->ts = (long long)(g_cfg->clock > 0 ? g_cfg->clock * 1e6 : now_us()); f->lat = 1; f->r = E_NOTSUP; f->vt = T_U32; f->v.ull = 0;
    char key[40]; snprintf(key, sizeof key, "field.%u", id);
    Ret ft = fault_for(key, n, x->mig, 1); if (ft) { f->r = ft; return; }
    if (id == 0 || id > 320) { f->r = E_ARG; return; }
    if (x->m) return;
    switch (id) {
    case 138: case 139:
        if (!d->nvlinks) return;
        if (f->scope != NA_U32 && f->scope >= d->nvlinks) { f->r = E_ARG; return; }
        accrue(n);
        {   double kib = id == 139 ? A[n].nrx : A[n].ntx; uint up = 0;
            for (uint l = 0; l < d->nvlinks; l++) up += !(d->nvl_down >> (l & 31) & 1);
            if (f->scope == NA_U32) kib *= up; else if (d->nvl_down >> (f->scope & 31) & 1) kib = 0;
            fset(f, kib); }
        return;
    case 197: if (!d->ptx.na) { accrue(n); fset(f, A[n].ptx); } return;
    case 198: if (!d->prx.na) { accrue(n); fset(f, A[n].prx); } return;
    }
}
API Ret nvmlDeviceGetFieldValues(void *h, int n, Fv *v)
{
    BEGIN(h, DM); if (!v || n <= 0) RET(E_ARG);
    for (int i = 0; i < n; i++) one_field(&x, &v[i]);
    RET(OK);
}

/* ----------------------------------------------------------------- events */
#define EV_XID 8ULL
typedef struct { uint magic; u64 types[MAX_DEV]; double since[MAX_DEV], got[MAX_DEV][8]; } EvSet;
#define EVMAGIC 0x45565354u
typedef struct { void *device; u64 type, data; uint gi, ci; } EvData;
static EvSet *as_set(void *p) { EvSet *s = p; return s && s->magic == EVMAGIC ? s : NULL; }
API Ret nvmlDeviceGetSupportedEventTypes(void *h, u64 *v) { BEGIN(h, F_DEV); NEED(v); *v = 0x1F; RET(OK); }
API Ret nvmlDeviceRegisterEvents(void *h, u64 t, void *p)
{
    BEGIN(h, F_DEV); EvSet *s = as_set(p); NEED(s); if (t & ~0x1FULL) RET(E_NOTSUP);
    s->types[x.dev] |= t; s->since[x.dev] = now_mono(); RET(OK);
}
API Ret nvmlEventSetCreate(void **s) { BEGIN(NULL, 0); NEED(s); EvSet *e = calloc(1, sizeof *e); e->magic = EVMAGIC; *s = e; RET(OK); }
API Ret nvmlEventSetFree(void *p) { BEGIN(NULL, 0); EvSet *s = as_set(p); NEED(s); s->magic = 0; free(s); RET(OK); }
/* what happened before a device was registered is not delivered; all else once */
static int next_event(EvSet *s, EvData *o)
{
    for (uint i = 0; i < g_cfg->count && i < MAX_DEV; i++) {
        Device *d = &g_cfg->dev[i];
        for (uint k = 0; (s->types[i] & EV_XID) && k < d->nxids; k++) {
            double at = d->xid[k].after < 0 ? g_load_t : g_t0 + d->xid[k].after;
            if (at > now_mono() || at <= s->since[i] || at <= s->got[i][k]) continue;
            s->got[i][k] = at;
            *o = (EvData){ hnd((int)i, -1), EV_XID, d->xid[k].code, NA_U32, NA_U32 };
            return 1;
        }
    }
    return 0;
}
API Ret nvmlEventSetWait_v2(void *p, EvData *o, uint ms)
{
    BEGIN(NULL, 0); EvSet *s = as_set(p); if (!s || !o) RET(E_ARG);
    if (next_event(s, o)) RET(OK);
    pthread_mutex_unlock(&g_lock); nap(ms); pthread_mutex_lock(&g_lock); reload();
    RET(next_event(s, o) ? OK : E_TIMEOUT);
}
