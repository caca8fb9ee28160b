/**
 * The examples of the first visit. Their prompts are in English, the language that the models read.
 * @returns {readonly {key: string, prompt: string}[]}
 */
export function examples() {
  return [
    { key: 'ex1', prompt: 'oil painting by Van Gogh, a starry night over a quiet Renaissance city, glowing yellow stars' },
    { key: 'ex2', prompt: 'oil painting, a wheat field under a golden sky' },
    { key: 'ex3', prompt: 'oil painting, the sea at dawn under soft clouds' },
  ];
}
