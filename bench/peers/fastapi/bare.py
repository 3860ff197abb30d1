"""FastAPI as it comes: the six cases and nothing around them."""

from fastapi import FastAPI

import cases
import database

app = FastAPI(lifespan=database.lifespan)
cases.register(app)
