"""The FastAPI equivalent of `GET /users/me`: the same checks of the token, the same reads, the same profile.

Environment: DATABASE_URL, JWKS_URL, ISSUER; REMEMBER=1 also remembers verified tokens until they expire, as ours does.
"""

import asyncio
import hashlib
import os
import time
import uuid
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import asyncpg
import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from jwt import PyJWKClient
from pydantic import BaseModel

ISSUER, REMEMBER = os.environ["ISSUER"], os.environ.get("REMEMBER") == "1"
keys = PyJWKClient(os.environ["JWKS_URL"], cache_keys=True, lifespan=600)
remembered: dict[bytes, dict] = {}

QUERY = """
SELECT u.user_id, u.supabase_user_id, u.email, u.email_verified, u.display_name, u.avatar_url, u.tier::text, u.role, u.role_chosen,
       u.created_at, u.last_login_at, u.deleted_at,
       ARRAY(SELECT p.role_type FROM user_role_profiles p WHERE p.user_id = u.user_id AND p.enabled ORDER BY 1) AS role_profiles,
       EXISTS (SELECT FROM auth_sessions s WHERE s.session_id = $2 AND s.credential_id = $1) AS session_lives
FROM users u WHERE u.supabase_user_id = $1
"""


class Me(BaseModel):
    user_id: uuid.UUID
    supabase_user_id: uuid.UUID | None
    email: str | None
    email_verified: bool
    display_name: str | None
    avatar_url: str | None
    tier: str
    role: str
    role_chosen: bool
    role_profiles: list[str]
    created_at: datetime
    last_login_at: datetime | None


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8) as app.state.pool:
        await asyncio.to_thread(keys.get_signing_keys)
        yield


app = FastAPI(lifespan=lifespan)


def claims_of(token: str) -> dict:
    digest = hashlib.sha256(token.encode()).digest()
    if REMEMBER and (known := remembered.get(digest)) and known["exp"] > time.time():
        return known
    if len(token) > 16384:
        raise HTTPException(401)
    try:
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=["ES256"], audience="authenticated", issuer=ISSUER, leeway=30,
                            options={"require": ["exp", "iat", "sub", "aud", "iss"]})
        uuid.UUID(claims["sub"]), uuid.UUID(claims["session_id"])
    except (jwt.PyJWTError, ValueError, KeyError):
        raise HTTPException(401) from None
    if claims.get("role") != "authenticated" or claims.get("is_anonymous"):
        raise HTTPException(401)
    if REMEMBER:
        remembered[digest] = claims
    return claims


async def caller(request: Request) -> asyncpg.Record:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(401)
    claims = claims_of(token)
    row = await request.app.state.pool.fetchrow(QUERY, uuid.UUID(claims["sub"]), uuid.UUID(claims["session_id"]))
    if row is None or row["deleted_at"] is not None or not row["session_lives"]:
        raise HTTPException(401)
    return row


@app.get("/users/me")
async def me(user: Annotated[asyncpg.Record, Depends(caller)]) -> Me:
    return Me(**{name: user[name] for name in Me.model_fields})
