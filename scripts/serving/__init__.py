"""What scripts/serve.py is made of: the one thread that answers (worker.py), HTTP around it (app.py, server.py), what of
a run is served (runs.py), and the page (page.html and what it loads, nothing
of it from elsewhere).

No TensorFlow but in the thread of the worker. starlette and uvicorn (requirements-serve.lock) in those two alone."""
