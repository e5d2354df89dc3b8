import os

from synapse_worker import Context, Plugin

plugin = Plugin()


@plugin.method
async def greet(params: dict[str, str], ctx: Context) -> dict[str, str]:
    return {"greeting": f"Hello, {params['name']}, from process {os.getpid()}!"}


if __name__ == "__main__":
    plugin.run()
