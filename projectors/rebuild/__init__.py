"""How is a read model made anew from the log while the one there is goes on answering?

plan       which generations are filled: new ones, or those that an interrupted rebuild began
filling    their state, out of the log, partitions side by side in several processes
building   the rest of the log, and what is built of the state, until all of it is level
proof      held at the same offsets, the new one and the live one hold the same
takeover   the workers take it on; then one pointer is switched
"""
