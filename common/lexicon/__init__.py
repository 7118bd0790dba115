"""Words and n-grams of texts, without TensorFlow.

`units` says what is counted, `corpus` reads texts of any size in blocks, `tables` sorts and merges, `counting` does both in
bounded memory and with several processes, `cluster` on several machines; `new_words` finds the words of a corpus, and
`word_list` reads lists of them. scripts/count_ngrams.py and scripts/discover_words.py are the commands.
"""
