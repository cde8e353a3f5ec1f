// Calls the npm SDK as a program of its users would: requests come in as lines of JSON, and what the SDK made of the
// answers goes out as lines of JSON. Names are snake_case there, so that one set of tests serves all SDKs.
// The argument is the folder that the SDK is installed in.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Flexprice, FlexPriceError } = await import(createRequire(`${process.argv[2]}/`).resolve("@flexprice/sdk"));

const TIMEOUT_MS = 30_000;

const OPERATIONS = {
  list_tasks: (tasks, query, options) => tasks.listTasks(query, options),
  create_task: (tasks, body, options) => tasks.createTask(body, options),
  get_task: (tasks, { id }, options) => tasks.getTask(id, options),
  get_task_result: (tasks, { workflowId }, options) => tasks.getTaskResult(workflowId, options),
  download_task_export: (tasks, { id }, options) => tasks.downloadTaskExport(id, options),
  update_task_status: (tasks, { id, ...body }, options) => tasks.updateTaskStatus(id, body, options),
};

async function answer({ operation, api_url, api_key, arguments: given, headers }) {
  const { tasks } = new Flexprice({ serverURL: api_url, apiKeyAuth: api_key, timeoutMs: TIMEOUT_MS });
  try {
    return { value: snakeCase(await OPERATIONS[operation](tasks, camelCase(given), { headers })) };
  } catch (error) {
    if (!(error instanceof FlexPriceError)) throw error;
    return { error: told(error) };
  }
}

// All that the SDK's user can read of an error.
function told({ name, statusCode, message, body, error, success }) {
  const fields = error === undefined ? null : snakeCase({ error, success });
  return { name, status: statusCode, message, body, fields };
}

function camelCase(given) {
  const rename = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [rename(name), value]));
}

// The keys inside of metadata are the user's own.
function snakeCase(value) {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (value === null || typeof value !== "object") return value ?? null;
  const rename = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, inner]) => [rename(name), name === "metadata" ? inner ?? null : snakeCase(inner)]),
  );
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
