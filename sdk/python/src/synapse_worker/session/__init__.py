"""The state of one session: handshake, calls, streams, credit, deadlines, acks. No threads, no sockets, no asyncio.

Every method may be called from any thread; one lock, held briefly, guards a session. Whoever moves the bytes (the IO
thread, or a memory link in tests) feeds `receive`, calls `tick` when `next_due` comes, and writes what `take_output` gives.
"""
