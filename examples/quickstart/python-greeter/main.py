from dataclasses import dataclass

from synapse_worker import Context, Plugin

plugin = Plugin()


@dataclass
class Greet:
    name: str


@plugin.method
async def greet(params: Greet, ctx: Context) -> dict[str, str]:
    await ctx.storage.set(f"greeted/{params.name}", True)
    return {"greeting": f"Hello, {params.name}!"}


if __name__ == "__main__":
    plugin.run()
