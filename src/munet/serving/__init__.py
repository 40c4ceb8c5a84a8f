"""`munet serve`: all tasks of a system behind one door.

access.py   tokens, cookies, Host headers
answers.py  what a request gets: class names with their probabilities, and the model that gave them
app.py      all routes; routes.py our own, v2.py those of the Open Inference Protocol, openapi.json their description
background.py  a server of a site that is only read, in a thread of its own; read_only.py such a site
batcher.py  rows of many requests and tasks, computed together
bodies.py   what a client sends, as values, and values as JSON
connections.py  who is connected, how many, for how long without a word; running.py uvicorn as `watch` has it too
fixed_page.py  a server of one page that does not change
following.py  a system that lives in a remote, pulled from every so often
limits.py   how large, how many, how long
listening.py  addresses to listen on; server.py a server that does
service.py  what answers, and what stands before every route
measures.py what Prometheus reads
page.py     the page to try it in, page.html; page.js is made from web/serve/; policy.py what a page may load
served.py   the tasks that are answered for, loaded, and taken up anew when they change; settled.py tells whether
"""
