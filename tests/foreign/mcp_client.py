"""The vault's tools through PyPI's mcp, the protocol's own client: python mcp_client.py URL API_KEY

Once by the handshake of 2025-11-25, once by 2026-07-28, which has none. The client checks each structured result against the tool's output schema.
"""

import asyncio
import json
import sys
import uuid

from jsonschema import Draft202012Validator
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError

URL, API_KEY = sys.argv[1].rstrip("/"), sys.argv[2]
TOOLS = ["vault_query", "vault_receipt", "vault_seal", "vault_verify"]


def connect(key: str, mode: str) -> Client:
    http = create_mcp_http_client(headers={"Authorization": f"Bearer {key}"})
    return Client(streamable_http_client(f"{URL}/mcp", http_client=http), mode=mode)


async def given(client: Client, tool: str, arguments: dict) -> dict:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    assert json.loads(result.content[0].text) == result.structured_content, result
    return result.structured_content


async def refused(client: Client, tool: str, arguments: dict) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error and result.structured_content is None, result
    return json.loads(result.content[0].text)["code"]


async def use(mode: str, version: str) -> None:
    async with connect(API_KEY, mode) as client:
        assert client.protocol_version == version, client.protocol_version
        assert client.server_info.name == "holdfast" and "vault_seal" in client.instructions
        tools = (await client.list_tools()).tools
        assert sorted(tool.name for tool in tools) == TOOLS, tools
        for tool in tools:
            Draft202012Validator.check_schema(tool.input_schema)
            Draft202012Validator.check_schema(tool.output_schema)
            assert tool.annotations.read_only_hint == (tool.name != "vault_seal"), tool

        run = str(uuid.uuid4())
        seal = {
            "kind": "foreign.decision",
            "verdict": "ALLOW",
            "payload": {"text": "héllo", "n": 1.50, "big": 9007199254740991},
            "session_id": run,
            "idempotency_key": run,
        }
        sealed = await given(client, "vault_seal", seal)
        assert await given(client, "vault_seal", seal) == sealed
        assert await refused(client, "vault_seal", seal | {"kind": "another"}) == "idempotency_key_reused"
        too_big = {"kind": "k", "verdict": "SEAL", "payload": 2**53}
        assert await refused(client, "vault_seal", too_big) == "ambiguous_json"

        found = await given(client, "vault_query", {"session_id": run})
        [entry] = found["data"]
        assert (entry["index"], entry["payload"]) == (sealed["index"], seal["payload"]), entry
        assert found["next_cursor"] is None

        receipt = (await given(client, "vault_receipt", {"index": sealed["index"]}))["receipt"]
        assert (await given(client, "vault_verify", {"receipt": receipt}))["valid"]
        spoiled = receipt.replace(f"index {sealed['index']}\n", f"index {sealed['index'] + 1}\n")
        assert not (await given(client, "vault_verify", {"receipt": spoiled}))["valid"]

        assert await refused(client, "vault_receipt", {"index": 2**53 - 1}) == "not_found"
        assert await refused(client, "vault_query", {"limit": 51}) == "out_of_range"
        try:
            await client.call_tool("vault_drop", {})
        except MCPError as error:
            assert error.error.code == -32602, error
        else:
            raise AssertionError("a tool that is not there was called")


async def turned_away(mode: str) -> None:
    try:
        async with connect(API_KEY[:-1] + ("0" if API_KEY[-1] != "0" else "1"), mode) as client:
            await client.list_tools()
    except (MCPError, ExceptionGroup):
        return
    raise AssertionError("a wrong key was let in")


async def main() -> None:
    for mode, version in [("legacy", "2025-11-25"), ("auto", "2026-07-28")]:
        await use(mode, version)
        await turned_away(mode)
    print("mcp: the vault's tools hold, by 2025-11-25 and by 2026-07-28")


asyncio.run(main())
