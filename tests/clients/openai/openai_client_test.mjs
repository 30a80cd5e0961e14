// The official client of the OpenAI API against chatmem serve: each call that the server has, with
// all its parameters, its errors, streams, helpers and aborts. Then CompatCanary's chat profile.
// Environment: CHATMEM_URL, of a server of the models "tiny" (first) and "recaps" (an adapter) that
// asks for the key "sk-test".
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {test} from 'node:test';
import OpenAI from 'openai';

const url = process.env.CHATMEM_URL;
assert.ok(url, 'CHATMEM_URL must name the server');
const baseURL = `${url}/v1`, apiKey = 'sk-test';
const client = new OpenAI({apiKey, baseURL, maxRetries: 0});
const model = 'tiny';
const messages = [{role: 'user', content: 'When is the hip?'}];
const short = {model, messages, max_completion_tokens: 8, temperature: 0};
const from = (promise) => promise.then(
  () => assert.fail('it must be refused'), (error) => error);
const metrics = async () =>
  (await fetch(`${url}/metrics`, {headers: {authorization: `Bearer ${apiKey}`}})).text();

const schema = {
  type: 'object', properties: {mood: {type: 'string', enum: ['good', 'bad']}, days: {type: 'integer'}},
  required: ['mood', 'days'], additionalProperties: false,
};
const response_format = {type: 'json_schema', json_schema: {name: 'recap', strict: true, schema}};
const tools = [{type: 'function', function: {name: 'save', description: 'Saves it.', parameters: schema}}];

function checkWhole(answer) {
  assert.equal(answer.object, 'chat.completion');
  assert.match(answer.id, /^chatcmpl-/);
  assert.ok(Math.abs(Date.now() / 1000 - answer.created) < 600);
  for (const [i, choice] of answer.choices.entries()) {
    assert.equal(choice.index, i);
    assert.equal(choice.message.role, 'assistant');
    assert.equal(typeof choice.message.content, 'string');
    assert.ok(['stop', 'length'].includes(choice.finish_reason));
  }
  const {prompt_tokens, completion_tokens, total_tokens} = answer.usage;
  assert.equal(prompt_tokens + completion_tokens, total_tokens);
  assert.ok(answer.usage.prompt_tokens_details.cached_tokens <= prompt_tokens);
}

test('chat.completions.create', async () => {
  const {data, response} = await client.chat.completions.create(short).withResponse();
  checkWhole(data);
  assert.equal(data.model, model);
  assert.equal(data.usage.completion_tokens, 8);
  assert.equal(data._request_id, response.headers.get('x-request-id'));
  assert.match(data._request_id, /^req_/);
});

// What the client's own test suite sends, but for the model.
const allParams = {
  messages: [{content: 'string', role: 'developer', name: 'name'}],
  audio: {format: 'wav', voice: 'string'}, frequency_penalty: -2, function_call: 'none',
  functions: [{name: 'name', description: 'description', parameters: {foo: 'bar'}}],
  logit_bias: {foo: 0}, logprobs: true, max_completion_tokens: 0, max_tokens: 0,
  metadata: {foo: 'string'}, modalities: ['text'], moderation: {model: 'model'}, n: 1,
  parallel_tool_calls: true, prediction: {content: 'string', type: 'content'}, presence_penalty: -2,
  prompt_cache_key: 'prompt-cache-key-1234', prompt_cache_retention: 'in_memory',
  reasoning_effort: 'none', response_format: {type: 'text'},
  safety_identifier: 'safety-identifier-1234', seed: -9007199254740991, service_tier: 'auto',
  stop: '\n', store: true, stream: false,
  stream_options: {include_obfuscation: true, include_usage: true}, temperature: 1,
  tool_choice: 'none', tools: [{function: {name: 'name', parameters: {foo: 'bar'}, strict: true}, type: 'function'}],
  top_logprobs: 0, top_p: 1, user: 'user-1234', verbosity: 'low',
  web_search_options: {search_context_size: 'low'},
};

test('chat.completions.create with all parameters', async () => {
  const answer = await client.chat.completions.create({model, ...allParams});
  checkWhole(answer);
  assert.equal(answer.choices[0].message.content, '');
  assert.equal(answer.choices[0].finish_reason, 'length');
  const sampled = await client.chat.completions.create({...short, n: 3, temperature: 1.5, top_p: 0.9,
    seed: 4, frequency_penalty: 1, presence_penalty: 1, logit_bias: {5: -100}, stop: ['zzz', 'yyy'],
    user: 'me', logprobs: true, top_logprobs: 2});
  checkWhole(sampled);
  assert.equal(sampled.choices.length, 3);
  for (const {logprobs} of sampled.choices) {
    assert.ok(logprobs.content.length > 0);
    for (const entry of logprobs.content) {
      assert.equal(entry.top_logprobs.length, 2);
      assert.ok(entry.logprob <= 0);
      assert.ok(entry.bytes === null || Buffer.from(entry.bytes).length > 0);
    }
  }
  const again = await client.chat.completions.create({...short, n: 3, temperature: 1.5, top_p: 0.9,
    seed: 4, frequency_penalty: 1, presence_penalty: 1, logit_bias: {5: -100}, stop: ['zzz', 'yyy'],
    user: 'me', logprobs: true, top_logprobs: 2});
  assert.deepEqual(again.choices.map((c) => c.message.content),
    sampled.choices.map((c) => c.message.content));
  assert.equal(again.system_fingerprint, sampled.system_fingerprint);
});

test('a stream', async () => {
  const whole = await client.chat.completions.create(short);
  const stream = await client.chat.completions.create(
    {...short, stream: true, stream_options: {include_usage: true}});
  let text = '';
  const reasons = [], ids = new Set();
  let usage = null, first = true;
  for await (const chunk of stream) {
    ids.add(chunk.id);
    assert.equal(chunk.object, 'chat.completion.chunk');
    if (chunk.usage) { usage = chunk.usage; assert.equal(chunk.choices.length, 0); continue; }
    const [choice] = chunk.choices;
    if (first) assert.equal(choice.delta.role, 'assistant');
    first = false;
    text += choice.delta.content ?? '';
    if (choice.finish_reason) reasons.push(choice.finish_reason);
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.deepEqual(reasons, ['length']);
  assert.equal(ids.size, 1);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test('no usage unless asked, two choices', async () => {
  const texts = ['', ''], finished = [0, 0];
  for await (const chunk of await client.chat.completions.create({...short, n: 2, stream: true})) {
    assert.equal(chunk.usage, undefined);
    for (const choice of chunk.choices) {
      texts[choice.index] += choice.delta.content ?? '';
      if (choice.finish_reason) finished[choice.index]++;
    }
  }
  assert.deepEqual(finished, [1, 1]);
  assert.equal(texts[0], texts[1], 'both are greedy');
});

test('progress in a stream harms nobody', async () => {
  const long = [{role: 'user', content: 'The boat is nearly ready. '.repeat(150)}];
  const stream = await client.chat.completions.create(
    {...short, messages: long, stream: true, return_progress: true});
  let told = 0, text = '';
  for await (const chunk of stream) {
    if (chunk.prompt_progress) {
      assert.ok(chunk.prompt_progress.processed < chunk.prompt_progress.total);
      told++;
    }
    text += chunk.choices[0]?.delta.content ?? '';
  }
  assert.ok(told > 0 && text.length > 0);
});

test('the stream helper', async () => {
  const stream = client.chat.completions.stream({...short, stream_options: {include_usage: true}});
  let pieces = '';
  const seen = new Set();
  for (const event of ['connect', 'chunk', 'content', 'message', 'chatCompletion', 'finalContent',
    'finalMessage', 'finalChatCompletion', 'totalUsage', 'end'])
    stream.on(event, () => seen.add(event));
  stream.on('content', (piece) => { pieces += piece; });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].message.content, pieces);
  assert.equal(await stream.finalContent(), pieces);
  assert.equal((await stream.finalMessage()).role, 'assistant');
  assert.equal((await stream.totalUsage()).completion_tokens, 8);
  await stream.done();
  for (const event of ['connect', 'chunk', 'content', 'message', 'chatCompletion', 'end'])
    assert.ok(seen.has(event), event);
  const lines = client.chat.completions.stream(short).toReadableStream();
  let bytes = 0;
  for await (const piece of lines) bytes += piece.length;
  assert.ok(bytes > 0);
});

test('answers by schema', async () => {
  const asked = {...short, max_completion_tokens: 100, response_format, temperature: 1};
  for (let seed = 0; seed < 3; seed++) {
    const answer = await client.chat.completions.create({...asked, seed});
    const value = JSON.parse(answer.choices[0].message.content);
    assert.ok(['good', 'bad'].includes(value.mood) && Number.isInteger(value.days));
  }
  const parsed = await client.chat.completions.parse({...asked, seed: 9});
  assert.ok(Number.isInteger(parsed.choices[0].message.parsed.days));
  const content = await client.chat.completions.stream({...asked, seed: 9}).finalContent();
  assert.deepEqual(JSON.parse(content), parsed.choices[0].message.parsed);
  const object = await client.chat.completions.create(
    {...asked, response_format: {type: 'json_object'}, max_completion_tokens: 400, temperature: 0.2,
      logit_bias: {}});
  if (object.choices[0].finish_reason === 'stop') JSON.parse(object.choices[0].message.content);
});

test('a forced tool call, whole, streamed, and answered', async () => {
  const asked = {...short, max_completion_tokens: 100, tools,
    tool_choice: {type: 'function', function: {name: 'save'}}};
  const answer = await client.chat.completions.create(asked);
  const [choice] = answer.choices;
  assert.equal(choice.finish_reason, 'tool_calls');
  assert.equal(choice.message.content, null);
  const [call] = choice.message.tool_calls;
  assert.equal(call.function.name, 'save');
  assert.ok(Number.isInteger(JSON.parse(call.function.arguments).days));

  const stream = client.chat.completions.stream({...asked, tool_choice: 'required'});
  let done = null;
  stream.on('tool_calls.function.arguments.done', (event) => { done = event; });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].finish_reason, 'tool_calls');
  assert.equal(done.name, 'save');
  assert.ok(Number.isInteger(JSON.parse(done.arguments).days));

  const next = await client.chat.completions.create({...short, tools, messages: [
    ...messages, choice.message, {role: 'tool', tool_call_id: call.id, content: 'saved'}]});
  checkWhole(next);
});

test('runTools calls the function', async () => {
  const calls = [];
  const runner = client.chat.completions.runTools({...short, max_completion_tokens: 100,
    tool_choice: {type: 'function', function: {name: 'save'}},
    tools: [{type: 'function', function: {...tools[0].function, parse: JSON.parse,
      function: (args) => { calls.push(args); return 'saved'; }}}]}, {maxChatCompletions: 1});
  await runner.done();
  assert.equal(calls.length, 1);
  assert.ok(Number.isInteger(calls[0].days));
});

test('an abort ends the request on the server', async () => {
  const stream = await client.chat.completions.create(
    {model, messages, stream: true, max_completion_tokens: 3000, logit_bias: {3841: -100, 3848: -100, 3849: -100}});
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  const helper = client.chat.completions.stream({model, messages, max_completion_tokens: 3000,
    logit_bias: {3841: -100, 3848: -100, 3849: -100}});
  helper.on('content', () => helper.abort());
  const error = await from(helper.done());
  assert.ok(error instanceof OpenAI.APIUserAbortError, String(error));
  const controller = new AbortController();
  const waiting = from(client.chat.completions.create(
    {model, messages, max_completion_tokens: 3000, logit_bias: {3841: -100, 3848: -100, 3849: -100}},
    {signal: controller.signal}));
  setTimeout(() => controller.abort(), 50);
  assert.ok(await waiting instanceof OpenAI.APIUserAbortError);
  for (let i = 0; ; i++) {
    const text = await metrics();
    if (/chatmem_requests_running 0\n/.test(text) && /status="499"} 3\n/.test(text)) break;
    assert.ok(i < 100, text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test('completions.create', async () => {
  const asked = {model, prompt: '<s>[INST] Please summarize this conversation:\n\n [/INST]',
    max_tokens: 8, temperature: 0};
  const answer = await client.completions.create(asked);
  assert.equal(answer.object, 'text_completion');
  assert.match(answer.id, /^cmpl-/);
  assert.equal(answer.choices[0].logprobs, null);
  assert.equal(answer.usage.completion_tokens, 8);
  let text = '', reason = null;
  for await (const chunk of await client.completions.create({...asked, stream: true})) {
    text += chunk.choices[0].text;
    reason = chunk.choices[0].finish_reason ?? reason;
  }
  assert.equal(text, answer.choices[0].text);
  assert.equal(reason, 'length');
  const echoed = await client.completions.create({...asked, echo: true, logprobs: 2, n: 2});
  assert.equal(echoed.choices[1].text, asked.prompt + answer.choices[0].text);
  const {tokens, token_logprobs, top_logprobs, text_offset} = echoed.choices[0].logprobs;
  assert.equal(tokens.length, token_logprobs.length);
  assert.equal(top_logprobs.length, text_offset.length);
  assert.equal(token_logprobs[0], null);
  assert.ok(token_logprobs.at(-1) <= 0);
  // What the client's own test suite sends.
  await client.completions.create({model, prompt: 'This is a test.', best_of: 0, echo: true,
    frequency_penalty: -2, logit_bias: {foo: 0}, logprobs: 0, max_tokens: 16, n: 1,
    presence_penalty: -2, seed: 0, stop: '\n', stream: false,
    stream_options: {include_obfuscation: true, include_usage: true}, suffix: 'test.',
    temperature: 1, top_p: 1, user: 'user-1234'});
});

test('models', async () => {
  const ids = [];
  for await (const one of client.models.list()) {
    assert.equal(one.object, 'model');
    ids.push(one.id);
  }
  assert.deepEqual(ids, ['tiny', 'recaps']);
  assert.equal((await client.models.retrieve('recaps')).owned_by, 'chatmem');
  const error = await from(client.models.retrieve('no such'));
  assert.ok(error instanceof OpenAI.NotFoundError);
  assert.equal(error.code, 'model_not_found');
});

test('an adapter answers by its name', async () => {
  const answer = await client.chat.completions.create({...short, model: 'recaps'});
  assert.equal(answer.model, 'recaps');
  const error = await from(client.chat.completions.create({...short, model: 'gpt-5.4'}));
  assert.ok(error instanceof OpenAI.NotFoundError);
});

test('errors have their classes, types, parameters, codes and request ids', async () => {
  const refused = await from(client.chat.completions.create({...short, temperature: 3}));
  assert.ok(refused instanceof OpenAI.BadRequestError);
  assert.equal(refused.param, 'temperature');
  assert.equal(refused.type, 'invalid_request_error');
  assert.match(refused.requestID, /^req_/);
  const long = await from(client.chat.completions.create(
    {...short, stream: true, messages: [{role: 'user', content: 'zebra '.repeat(9000)}]}));
  assert.ok(long instanceof OpenAI.BadRequestError, 'before the stream');
  assert.equal(long.code, 'context_length_exceeded');
  assert.ok(long.error.n_prompt_tokens > long.error.n_ctx);
  const schemas = await from(client.chat.completions.create({...short,
    response_format: {type: 'json_schema', json_schema: {name: 'x', schema: {not: {}}}}}));
  assert.equal(schemas.param, 'response_format');
  const stranger = new OpenAI({apiKey: 'sk-wrong', baseURL, maxRetries: 0});
  const unknown = await from(stranger.models.list());
  assert.ok(unknown instanceof OpenAI.AuthenticationError);
  assert.equal(unknown.code, 'invalid_api_key');
  assert.equal((await from(client.models.delete('tiny'))).status, 405);
  assert.equal((await from(client.chat.completions.list())).status, 405);
  assert.equal((await from(client.embeddings.create({model, input: 'a'}))).status, 404);
});

// Its exit status is not 0 when a required probe fails.
test('CompatCanary, chat profile', async () => {
  const program = fileURLToPath(new URL('node_modules/compatcanary/src/cli.js', import.meta.url));
  const child = spawn(process.execPath,
    [program, 'scan', '--base-url', baseURL, '--model', model, '--profile', 'chat', '--timeout', '120'], {env: {...process.env, OPENAI_API_KEY: apiKey}});
  let report = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => { report += piece; });
  const code = await new Promise((resolve) => child.on('close', resolve));
  console.log(report);
  assert.equal(code, 0, report);
  assert.doesNotMatch(report, /^FAIL/m);
});
