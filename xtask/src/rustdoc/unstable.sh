#!/bin/sh
# The JSON of rustdoc is unstable, and stable toolchains write it only when told to act as unstable.
# Only rustdoc is told so: build scripts that watch the variable would run again, with all that
# depends on them.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
