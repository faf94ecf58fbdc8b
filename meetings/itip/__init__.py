"""RFC 5545 and RFC 5546 as pure functions on frozen values: no Django, no input or output, no
clock.

What the organizer's calendar would decide — who gets which METHOD about which
event, with which SEQUENCE — is decided here; storing and mailing are elsewhere.
"""
