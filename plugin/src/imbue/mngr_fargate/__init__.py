"""mngr's Fargate provider: a thin bridge to the `mngr-fargate` command, which holds all cloud logic."""
