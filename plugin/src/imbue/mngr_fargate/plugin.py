"""The entry point that mngr loads at each start.

An exception here would break every mngr command, so this module imports nothing of mngr before it knows that the
version is one the plugin was made for.
"""

import pluggy

from imbue.mngr_fargate.compatibility import unsupported_mngr

hookimpl = pluggy.HookimplMarker("mngr")


@hookimpl
def register_provider_backend() -> object:
    """The backend and its configuration, in the form that the installed mngr understands."""
    problem = unsupported_mngr()
    if problem is not None:
        from imbue.mngr_fargate.unsupported import unsupported_registration  # noqa: PLC0415

        return unsupported_registration(problem)
    from imbue.mngr_fargate.registration import registration  # noqa: PLC0415

    return registration()
