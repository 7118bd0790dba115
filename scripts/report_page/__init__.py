"""The page that scripts/report.py writes: HTML, SVG, a style sheet and a script in one file that loads nothing."""
