"""Files from the net: fetched so that nothing is half-written (`fetching`), and unpacked so that nothing lands outside
(`unpacking`). What a server or an archive says of itself is never taken for true."""
