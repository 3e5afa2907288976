"""The media server: packets are forwarded between the members of rooms, never decoded.

RFC 8445 (ICE-lite), RFC 5764 (DTLS-SRTP), RFC 3550 (RTP); docs/adr/video-forwarding.md says how and why.
"""
