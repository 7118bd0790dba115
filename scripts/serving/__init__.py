"""What scripts/serve.py is made of: the one thread that answers (worker.py), HTTP around it (app.py, socket.py), what of
a run is served (runs.py), and the page (page.html, page.css, page.js, which ask for nothing from elsewhere).

No TensorFlow but in the thread of the worker. starlette and uvicorn (requirements-serve.lock) in app.py alone."""
