"""The visit page: one server-rendered page and plain ES modules, for patient, guest and clinician alike.

W3C WebRTC 1.0, WCAG 2.2 AA; it speaks the protocol of docs/video.md.
"""
