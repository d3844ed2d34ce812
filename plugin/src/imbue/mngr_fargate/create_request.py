"""What mngr asks for at `create`, as options of `mngr-fargate create`."""

from collections.abc import Mapping, Sequence

from imbue.mngr.interfaces.data_types import HostLifecycleOptions

from imbue.mngr_fargate.build_args import create_options


def options_of_create(
    *,
    arguments: Sequence[str],
    image: str | None,
    tags: Mapping[str, str],
    authorized_keys: Sequence[str],
    lifecycle: HostLifecycleOptions,
) -> list[str]:
    """Raises UserInputError for a build argument that isn't known. `image` yields to one among the arguments."""
    options = create_options(arguments)
    if image is not None and not any(option.startswith("--image=") for option in options):
        options.append(f"--image={image}")
    options += [f"--tag={key}={value}" for key, value in tags.items()]
    options += [f"--authorized-key={key}" for key in authorized_keys]
    # Without a timeout the provider's holds, which `mngr-fargate` knows itself. Its 0 is a word.
    timeout = lifecycle.idle_timeout_seconds
    if timeout is not None:
        options.append(f"--idle-timeout={timeout if timeout > 0 else 'never'}")
    return options
