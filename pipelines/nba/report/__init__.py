"""The report: one page without a network, of what is predicted, how good that has been, and what it rests on."""

from nba.report.facts import Facts, read
from nba.report.page import about_page, page

__all__ = ["Facts", "about_page", "page", "read"]
