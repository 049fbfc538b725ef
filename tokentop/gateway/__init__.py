"""What runs inside of a gateway: plugins that deliver its usage and ask whether to go on."""
