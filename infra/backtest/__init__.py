"""`python -m infra.backtest`: what a programme would have done to purchases that were made.

Recorded purchases, refunds and redemptions are replayed through two documents with the engine's own arithmetic: the
rules, the decisions and the effects are those that post live, only nothing is stored. Every purchase arrives when it
was posted, and each document counts for the whole time.

    recorded    the facts to replay, in the order of posting
    files       … from the demo's purchases, a CSV file, or the intake queue's messages in a file
    tables      … from an installation
    replay      one document over all of it
    tally       what is counted on the way
    compare     two tallies side by side: a report
    terminal    … on the terminal
    page        … as one HTML page; charts, shapes and texts are what it is made of
"""
