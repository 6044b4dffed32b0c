"""What is said on a link: messages, codec, session rules, what a call is. Pure: no sockets, no clock, no asyncio."""
