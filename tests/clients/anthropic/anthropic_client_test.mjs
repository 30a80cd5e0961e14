// The official client of the Anthropic API against the test double, so that the double is honest:
// what passes here in the client's own words, chatmem may rely on.
// Environment: ANTHROPIC_BASE_URL, of a double that no one else uses.
import assert from 'node:assert/strict';
import {test, beforeEach} from 'node:test';
import Anthropic from '@anthropic-ai/sdk';

const baseURL = process.env.ANTHROPIC_BASE_URL;
assert.ok(baseURL, 'ANTHROPIC_BASE_URL must name the double');
const model = 'claude-haiku-4-5';
const client = new Anthropic({apiKey: 'test-key', baseURL, maxRetries: 0});
const hello = {model, max_tokens: 1000, messages: [{role: 'user', content: 'Hello'}]};

async function script(value) {
  const answer = await fetch(`${baseURL}/double/script`,
    {method: 'PUT', body: JSON.stringify(value)});
  assert.equal(answer.status, 200, await answer.text());
}
const summary = async () => (await fetch(`${baseURL}/double/summary`)).json();
const rule = (fault, more = {}) => script({rules: [{fault, ...more}]});
const from = (promise) => promise.then(
  () => assert.fail('it must be refused'), (error) => error);

beforeEach(() => script({}));

test('messages.create', async () => {
  const {data, response} = await client.messages.create(hello).withResponse();
  assert.equal(data.type, 'message');
  assert.equal(data.role, 'assistant');
  assert.equal(data.model, model);
  assert.equal(data.content[0].type, 'text');
  assert.equal(data.stop_reason, 'end_turn');
  assert.ok(data.usage.input_tokens > 0 && data.usage.output_tokens > 0);
  assert.match(data._request_id, /^req_/);
  assert.equal(response.headers.get('request-id'), data._request_id);
});

test('x-api-key and bearer are both taken', async () => {
  const old = new Anthropic({apiKey: null, authToken: null, baseURL, maxRetries: 0,
    defaultHeaders: {'x-api-key': 'test-key', 'anthropic-version': '2023-06-01'}});
  assert.equal((await old.messages.create(hello)).type, 'message');
});

test('the stream helper', async () => {
  await script({thinking: true});
  const kinds = new Set();
  const stream = client.messages.stream(hello);
  let text = '', thought = '';
  stream.on('streamEvent', (event) => kinds.add(event.type));
  stream.on('text', (piece) => { text += piece; });
  stream.on('thinking', (piece) => { thought += piece; });
  const final = await stream.finalMessage();
  assert.deepEqual(final.content.map((block) => block.type), ['thinking', 'text']);
  assert.equal(final.content[1].text, text);
  assert.equal(final.content[0].thinking, thought);
  assert.ok(final.content[0].signature.length > 0);
  assert.equal(final.stop_reason, 'end_turn');
  for (const kind of ['message_start', 'content_block_start', 'content_block_delta',
    'content_block_stop', 'message_delta', 'message_stop']) assert.ok(kinds.has(kind), kind);
  const whole = await client.messages.create(hello);
  assert.equal(whole.content.at(-1).text, text);
  assert.equal(whole.usage.output_tokens, final.usage.output_tokens);
});

test('an error within the stream', async () => {
  await rule('sse_error');
  const error = await from(client.messages.stream(hello).finalMessage());
  assert.ok(error instanceof Anthropic.APIError, String(error));
  assert.equal(error.type, 'overloaded_error');
});

test('structured output', async () => {
  const schema = {type: 'object', properties: {city: {type: 'string'}, people: {type: 'integer'}},
    required: ['city', 'people'], additionalProperties: false};
  const ask = (format) => client.messages.create({...hello, output_config: {format}});
  const message = await ask({type: 'json_schema', schema});
  assert.deepEqual(Object.keys(JSON.parse(message.content[0].text)), ['city', 'people']);
  const {additionalProperties, ...open} = schema;
  const error = await from(ask({type: 'json_schema', schema: open}));
  assert.ok(error instanceof Anthropic.BadRequestError);
  assert.match(error.apiMessage, /additionalProperties/);
});

test('count_tokens', async () => {
  const {max_tokens, ...body} = hello;
  const counted = await client.messages.countTokens(body);
  const message = await client.messages.create(hello);
  assert.equal(counted.input_tokens, message.usage.input_tokens);
});

test('the prompt cache is counted', async () => {
  const system = [{type: 'text', text: 'The rules. '.repeat(400),
    cache_control: {type: 'ephemeral', ttl: '1h'}}];
  const first = (await client.messages.create({...hello, system})).usage;
  const second = (await client.messages.create({...hello, system})).usage;
  assert.ok(first.cache_creation.ephemeral_1h_input_tokens > 512);
  assert.equal(first.cache_read_input_tokens, 0);
  assert.equal(second.cache_read_input_tokens, first.cache_creation_input_tokens);
  assert.equal(second.cache_creation_input_tokens, 0);
  assert.equal(second.input_tokens, first.input_tokens);
});

test('models', async () => {
  const info = await client.models.retrieve('claude-haiku-5-5');
  assert.equal(info.type, 'model');
  assert.equal(info.line, 'haiku');
  assert.ok(info.max_tokens > 0 && info.capabilities.structured_outputs.supported);
  const ids = [];
  for await (const one of client.models.list({limit: 3})) ids.push(one.id);
  assert.ok(ids.length > 3 && ids.includes('claude-haiku-5-5'));
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(await from(client.models.retrieve('claude-0')) instanceof Anthropic.NotFoundError);
});

test('errors by status', async () => {
  const expected = {
    rate_limit: [429, 'rate_limit_error', 'RateLimitError'],
    overloaded: [529, 'overloaded_error', 'OverloadedError'],
    server_error: [500, 'api_error', 'InternalServerError'],
    timeout: [504, 'timeout_error', 'GatewayTimeoutError'],
    billing: [402, 'billing_error', 'PaymentRequiredError'],
    forbidden: [403, 'permission_error', 'PermissionDeniedError'],
  };
  for (const [fault, [status, type, name]] of Object.entries(expected)) {
    await rule(fault);
    const error = await from(client.messages.create(hello));
    assert.equal(error.status, status, fault);
    assert.equal(error.type, type);
    assert.equal(error.name, name);
    assert.match(error.requestID, /^req_/);
  }
  await rule('spend_limit');
  const spent = await from(client.messages.create(hello));
  assert.ok(spent instanceof Anthropic.RateLimitError || spent.status === 429);
  assert.equal(spent.errorCode, 'enforced_spend_limit_reached');
  assert.equal(spent.headers.get('retry-after'), null);
  await rule('html');
  const page = await from(client.messages.create(hello));
  assert.equal(page.status, 502);
  assert.match(page.message, /<html>/);
});

test('what the API refuses', async () => {
  const refused = async (change, status = 400) => {
    const error = await from(client.messages.create({...hello, ...change}));
    assert.equal(error.status, status, JSON.stringify(change).slice(0, 200));
    return error;
  };
  await refused({model: 'claude-0'}, 404);
  await refused({max_tokens: undefined});
  await refused({max_tokens: -1});
  await refused({messages: []});
  await refused({messages: [{role: 'robot', content: 'x'}]});
  await refused({messages: [{role: 'user', content: ''}]});
  await refused({temperature: 0.5});
  await refused({surprise: 1});
  const mark = {type: 'text', text: 'x', cache_control: {type: 'ephemeral'}};
  await refused({system: [mark, mark, mark, mark, mark]});
  const old = await client.messages.create({...hello, temperature: 0.5},
    {headers: {'anthropic-version': '2023-06-01'}});
  assert.equal(old.type, 'message');
  const bare = await from(client.messages.create(hello, {headers: {authorization: null}}));
  assert.equal(bare.status, 401);
  assert.ok(bare instanceof Anthropic.AuthenticationError);
  const unversioned = await fetch(`${baseURL}/v1/messages`,
    {method: 'POST', headers: {'x-api-key': 'k'}, body: JSON.stringify(hello)});
  assert.equal(unversioned.status, 400);
  assert.throws(() => client.messages.create({...hello, max_tokens: 30_000}),
    /Streaming is required/);  // before anything is sent
  const raw = await fetch(`${baseURL}/v1/messages`, {method: 'POST',
    headers: {'x-api-key': 'k', 'anthropic-version': '2026-10-21'},
    body: JSON.stringify({...hello, max_tokens: 30_000})});
  assert.equal(raw.status, 400);
});

test('the client tries again as it is told', async () => {
  const patient = client.withOptions({maxRetries: 2});
  const timed = async (fault, more) => {
    await rule(fault, {times: 1, ...more});
    const before = (await summary()).messages, begin = Date.now();
    assert.equal((await patient.messages.create(hello)).type, 'message');
    assert.equal((await summary()).messages - before, 2);
    return Date.now() - begin;
  };
  assert.ok(await timed('rate_limit', {retry_after: 1}) >= 990);
  assert.ok(await timed('overloaded', {retry_after_ms: 20}) < 350);
  assert.ok(await timed('overloaded', {}) >= 370);  // its own back-off
  await timed('reset', {});
  await timed('forbidden', {should_retry: 'true', retry_after_ms: 1});
  await rule('rate_limit', {should_retry: 'false'});
  const before = (await summary()).messages;
  await from(patient.messages.create(hello));
  assert.equal((await summary()).messages - before, 1);
  await rule('overloaded', {retry_after_ms: 1});
  assert.equal((await from(patient.messages.create(hello))).status, 529);
  assert.equal((await summary()).messages - before, 4);
});

test('timeouts and broken answers', async () => {
  await script({latency_ms: 5000});
  const late = await from(client.messages.create(hello, {timeout: 100}));
  assert.ok(late instanceof Anthropic.APIConnectionTimeoutError, String(late));
  for (const fault of ['reset_mid_body', 'close_mid_body']) {
    await rule(fault);
    await from(client.messages.create(hello));
  }
  await rule('truncated_body');
  await from(client.messages.create(hello));
  await rule('stall', {ms: 300});
  assert.equal((await client.messages.create(hello)).type, 'message');
});

test('stop reasons', async () => {
  for (const [fault, reason, blocks] of
    [['refusal', 'refusal', 0], ['max_tokens', 'max_tokens', 1], ['empty', 'end_turn', 0]]) {
    await rule(fault);
    const message = await client.messages.create(hello);
    assert.equal(message.stop_reason, reason);
    assert.equal(message.content.length, blocks);
    if (fault === 'refusal') assert.equal(message.stop_details.type, 'refusal');
  }
});

test('rate limits have their headers and their 429', async () => {
  await script({limits: {requests: 2, input_tokens: 1000, output_tokens: 1000}});
  const {response} = await client.messages.create(hello).withResponse();
  assert.equal(response.headers.get('anthropic-ratelimit-requests-limit'), '2');
  assert.equal(response.headers.get('anthropic-ratelimit-requests-remaining'), '1');
  assert.ok(Date.parse(response.headers.get('anthropic-ratelimit-requests-reset')) > 0);
  await client.messages.create(hello);
  const error = await from(client.messages.create(hello));
  assert.equal(error.status, 429);
  assert.ok(Number(error.headers.get('retry-after')) > 0);
});

const item = (id, text) => ({custom_id: id,
  params: {...hello, messages: [{role: 'user', content: text}]}});
async function ended(id) {
  for (let i = 0; i < 100; i++) {
    const batch = await client.messages.batches.retrieve(id);
    if (batch.processing_status === 'ended') return batch;
  }
  assert.fail('the batch never ended');
}

test('batches from creation to deletion', async () => {
  await script({batches: {polls: 3}, rules: [
    {on: 'batch_item', contains: 'fails', fault: 'errored'},
    {on: 'batch_item', contains: 'is late', fault: 'expired'}]});
  const {batches} = client.messages;
  const bad = {custom_id: 'e', params: {...hello, max_tokens: 0}};
  const created = await batches.create({requests:
    [item('a', 'one'), item('b', 'two'), item('c', 'fails'), item('d', 'is late'), bad]});
  assert.equal(created.processing_status, 'in_progress');
  assert.deepEqual(created.request_counts,
    {processing: 5, succeeded: 0, errored: 0, canceled: 0, expired: 0});
  assert.equal(created.results_url, null);
  assert.match(String(await from(batches.results(created.id))), /results_url/);
  assert.equal((await from(batches.delete(created.id))).status, 400);
  const batch = await ended(created.id);
  assert.deepEqual(batch.request_counts,
    {processing: 0, succeeded: 2, errored: 2, canceled: 0, expired: 1});
  const results = {};
  for await (const one of await batches.results(created.id)) results[one.custom_id] = one.result;
  assert.deepEqual(Object.keys(results).sort(), ['a', 'b', 'c', 'd', 'e']);
  assert.equal(results.a.message.content[0].type, 'text');
  assert.equal(results.a.message.usage.service_tier, 'batch');
  assert.equal(results.c.error.error.type, 'api_error');
  assert.equal(results.d.type, 'expired');
  assert.equal(results.e.error.error.type, 'invalid_request_error');
  assert.equal((await batches.delete(created.id)).type, 'message_batch_deleted');
  assert.equal((await from(batches.retrieve(created.id))).status, 404);
});

test('batches are listed in pages, and canceled', async () => {
  await script({batches: {polls: 1000, done_before_cancel: 1}});
  const {batches} = client.messages, made = [];
  for (let i = 0; i < 5; i++)
    made.push((await batches.create({requests: [item('x', `l${i}`), item('y', `m${i}`)]})).id);
  const listed = [];
  for await (const one of batches.list({limit: 2})) listed.push(one.id);
  assert.deepEqual(listed.slice(0, 5), made.toReversed());
  const earlier = await batches.list({limit: 2, before_id: listed[4]});
  assert.deepEqual(earlier.data.map((one) => one.id), [listed[2], listed[3]]);
  assert.equal(earlier.has_more, true);
  const canceling = await batches.cancel(made[0]);
  assert.equal(canceling.processing_status, 'canceling');
  assert.ok(canceling.cancel_initiated_at);
  const batch = await ended(made[0]);
  assert.equal(batch.request_counts.succeeded, 1);
  assert.equal(batch.request_counts.canceled, 1);
});

test('batches that are none', async () => {
  const {batches} = client.messages;
  const status = async (requests) => (await from(batches.create({requests}))).status;
  assert.equal(await status([]), 400);
  assert.equal(await status([item('a', '1'), item('a', '2')]), 400);
  assert.equal(await status([item('a b', '1')]), 400);
  assert.equal(await status([item('x'.repeat(65), '1')]), 400);
  assert.equal((await from(batches.retrieve('msgbatch_none'))).status, 404);
});
