// Streams a picture by OpenAI's own client. See README.md beside this file.
import OpenAI from 'openai';

const baseURL = process.argv[2] ?? 'http://127.0.0.1:7860/v1';
const client = new OpenAI({ baseURL, apiKey: process.env.MUSE_TOKEN ?? 'none', maxRetries: 0 });

const stream = await client.images.generate({
  model: 'gpt-image-1', prompt: 'a fox in the snow', size: '256x256', stream: true, partial_images: 2, steps: 8,
});
let last = '';
for await (const event of stream) {
  const bytes = Buffer.from(event.b64_json, 'base64');
  if (bytes.length === 0) throw new Error(`${event.type} has no picture`);
  last = event.type;
  console.log(`${event.type} ${event.output_format} ${event.size}`);
}
if (last !== 'image_generation.completed') throw new Error(`the stream ended with '${last}'`);

const refused = await client.images.generate({ prompt: 'a fox', size: '9x9', stream: true }).then(() => null, (error) => error);
if (!(refused instanceof OpenAI.BadRequestError) || refused.param !== 'size') throw new Error(`size 9x9 gave ${refused}`);
