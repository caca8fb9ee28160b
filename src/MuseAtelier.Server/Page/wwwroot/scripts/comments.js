// Comments in prompts, which are kept and not read: docs/prompts.md.

/** @type {Record<string, RegExp>} */
const comments = { a1111: /#[^\n]*/g, comfy: /\/\*[^]*?\*\/|\/\/.*/g };

/**
 * The words of a prompt that are read.
 * @param {unknown} prompt
 * @param {string} [syntax] Its syntax; AUTOMATIC1111's without it.
 */
export function withoutComments(prompt, syntax = 'a1111') {
  const text = String(prompt ?? '');
  return comments[syntax] ? text.replace(comments[syntax], '') : text;
}

/**
 * Whether what is written behind a prompt would be part of a comment.
 * @param {string} prompt
 * @param {string} [syntax]
 */
export const endsInComment = (prompt, syntax = 'a1111') => withoutComments(`${prompt}.`, syntax).at(-1) !== '.';
