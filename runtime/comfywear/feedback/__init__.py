"""Feedback of people: votes 1–5, kept raw with the moment they belong to, and the socket that commands use."""

from comfywear.feedback.control import ControlServer, ask, socket_path
from comfywear.feedback.vote_rows import Selection, Snapshot
from comfywear.feedback.votes import VoteStore

__all__ = ["ControlServer", "Selection", "Snapshot", "VoteStore", "ask", "socket_path"]
