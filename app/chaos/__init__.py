"""Providers fail while people are on the phone: what callers hear of it (faults F07 to F13)."""
