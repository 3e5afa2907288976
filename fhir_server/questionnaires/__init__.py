"""Questionnaires that belong to an appointment: who asks for them, which they are, what was answered.

docs/adr/questionnaires.md. Kept free of imports: scheduling needs the Tasks without the pages.
"""
