"""FastAPI as it goes to production: the six cases, and around them what its users add."""

import os
from typing import Annotated

import jwt
import orjson
import structlog
from asgi_correlation_id import CorrelationIdMiddleware
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from prometheus_fastapi_instrumentator import Instrumentator
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIASGIMiddleware
from slowapi.util import get_remote_address

import cases
import database
from middleware import AccessLog, SecurityHeaders, Timeout

ISSUER = os.environ["JWT_ISSUER"]
AUDIENCE = os.environ["JWT_AUDIENCE"]
with open(os.environ["JWT_PUBLIC_KEY"], "rb") as pem:
    PUBLIC_KEY = load_pem_public_key(pem.read())

# Who calls: the token is verified on every request.
bearer = HTTPBearer()


async def caller(request: Request, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        claims = jwt.decode(
            credentials.credentials,
            PUBLIC_KEY,
            algorithms=["EdDSA"],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "sub"]},
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "Invalid token", headers={"WWW-Authenticate": "Bearer"}) from error
    request.state.caller = claims["sub"]
    return claims["sub"]


# How often: the limiter runs before the token is verified, so a caller is told by the token as sent.
def rate_key(request: Request) -> str:
    return request.headers.get("authorization") or get_remote_address(request)


limiter = Limiter(rate_key, default_limits=["1000000/second"], key_style="endpoint")

# The log: the fast set-up of structlog's manual.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    wrapper_class=structlog.make_filtering_bound_logger("info"),
    logger_factory=structlog.BytesLoggerFactory(file=open(os.environ["LOG"], "ab")),
    cache_logger_on_first_use=True,
)


# Traces: one in a hundred, or what the caller decided; nobody collects them here.
class Drop(SpanExporter):
    def export(self, spans) -> SpanExportResult:
        return SpanExportResult.SUCCESS


tracing = TracerProvider(sampler=ParentBasedTraceIdRatio(0.01))
tracing.add_span_processor(BatchSpanProcessor(Drop()))
trace.set_tracer_provider(tracing)

app = FastAPI(
    lifespan=database.lifespan,
    dependencies=[Depends(caller)],
    max_body_size=1 << 20,
    openapi_url=None,
)
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)

# From the inside out: the last one added is the first to see a request.
app.add_middleware(SlowAPIASGIMiddleware)
app.add_middleware(Timeout, seconds=30)
app.add_middleware(GZipMiddleware, minimum_size=1024)
app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_methods=["*"], allow_headers=["*"])
app.add_middleware(SecurityHeaders)
metrics = Instrumentator().instrument(app)
app.add_middleware(AccessLog)
app.add_middleware(CorrelationIdMiddleware)
FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])

cases.register(app)
metrics.expose(app)
