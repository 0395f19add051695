"""The page on which a survey's results are looked at: charts, and the numbers beside them, in English and Chinese."""
