"""Bytes, frames and messages: the wire of docs/protocol.md without any state of a session."""
