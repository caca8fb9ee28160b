// What the server says by a code, in Chinese. On the English page, and where a code or a value of it is not known, its own sentence stands.
import { el } from './dom.js';
import { amount, duration, language } from './i18n.js';

/**
 * The sentences by code. `{x}` is replaced by an argument; what stands in [brackets] is left out where its argument is absent.
 * @type {Readonly<Record<string, string>>}
 */
const sentences = {
  'model-ready': '画模“{name}”随时可用。',
  'model-new': '画模“{name}”可用；第一幅画之前要转换一次。',
  'model-none': '还没有画模。',
  'precision': '以 {precisions} 精度作画。',
  'budget-enough': '圣域 {budget}（{origin}），画 {width} × {height} 需要 {needed}。',
  'budget-too-small': '画 {width} × {height} 至少需要 {least}，圣域不够。',
  'device': '在 {device} 上作画。',
  'device-unfit': '这台机器的显卡不能用来作画。',
  'speed-processor': '用处理器画 {width} × {height}、{steps} 步，约需 {seconds}。',
  'speed-card': '用显卡画 {width} × {height}、{steps} 步，约需 {seconds}[；首次打开画模另需约 {secondsToOpen}]。',
  'gallery': '画存放在 {folder}[，还有 {free} 空间]。',
  'gallery-full': '画存放在 {folder}[，只剩 {free} 空间]。',
  'gallery-refused': '不能把画存放到 {folder}。',
  'unknown': '画模打不开，因此无从知道。',
  'name-model': '用 --model 指定一个画模（.safetensors）。',
  'export-checkpoint': '改用 .safetensors 画模本身而不是转换好的包，即可以半精度作画。',
  'use-card': '处理器以全精度作画，观感相同，内存加倍；要半精度，请用 NVIDIA 显卡。',
  'small-pictures': '三十秒之内要 NVIDIA 显卡；用处理器时，画小一些，步数少一些。',
  'more-memory': '用 --vram 多给一些显存，或少用几步。',
  'other-folder': '用 --gallery 换一个文件夹，或更改它的权限。',
  'see-above': '请先看画模与圣域两条。',
  'declare-more': '用 {option} 给出至少 {least}，或画小一些。',
  'free-memory': '关闭别的程序，腾出至少 {least} 内存，或画小一些。',
  'free-disk': '腾出一些磁盘空间：{room} 约可存五百幅画。',
  'prompt-cut': '{prompt}太长，多出 {tokens} 个词元，以下没有读入：{text}',
  'prompt-syntax': '{prompt}里有此处不支持的写法，按普通文字来画：{kinds}。',
  'prompt-plain': '{prompt}里有别的程序的写法，此处按普通文字来画：{kinds}。',
  'brackets-unclosed': '{prompt}里有 {count} 个括号没有合上。',
  'brackets-unopened': '{prompt}里有 {count} 个多余的右括号。',
  'break-in-brackets': '{prompt}的括号里有 BREAK，按普通文字来画。',
  'editing-unread': '{prompt}里的换词写法没有读懂，按普通文字来画。',
  'and-in-negative': '避讳里的 AND 按普通文字来画。',
  'weight-at-end': '{prompt}末尾的“:{weight}”按普通文字来画。',
  'chunks-padded': '绘意与避讳的段数不同（{counts}），短的以空段补齐，画面与 ComfyUI 的不同。',
  'lora-unknown': '绘意里的画风“{name}”不在文件夹里。',
  'lora-tag': '绘意里这个画风的写法读不懂：{tag}',
  'lora-several': '叫“{name}”的画风有 {count} 个（{places}），用最后一个，与 AUTOMATIC1111 相同。',
  'lora-twice': '绘意里“{name}”写了 {count} 次，浓淡相加。',
  'no-seed': '画上没有记下种子。',
  'no-prompt': '画上没有记下绘意。',
  'no-steps': '画上的步数“{value}”不能用。',
  'no-guidance': '画上的引意“{value}”不能用。',
  'no-sampler': '画上的笔法“{value}”此处没有。',
  'record-unread': '画上的记载读不出来。',
  'turned': '这幅画已按它的方向标记转正。',
  'cut-off': '文件末尾不完整。',
  'bad-exif': '文件里的 EXIF 读不出来。',
  'cmyk': '这幅画是 CMYK 颜色，按简单公式换算，颜色可能略有不同。',
};

/** Arguments that are bytes, and those that are seconds. */
const bytes = new Set(['budget', 'needed', 'least', 'free', 'room']);
const seconds = new Set(['seconds', 'secondsToOpen']);

/** What prompts may have of other programs' syntax, as the server names it. @type {Record<string, string>} */
const kinds = {
  weights: '权重', parentheses: '圆括号', 'square brackets': '方括号', 'prompt editing': '中途改词', alternation: '轮换', braces: '花括号',
  networks: '附加网络', tags: '标签', embeddings: '词印', wildcards: '通配词', escapes: '转义',
};

/** @type {Record<string, string>} */
const origins = { declared: '声明的', default: '默认的', free: '眼下空闲的' };

/**
 * What a code says in the page's language.
 * @param {string | undefined} code
 * @param {Record<string, any> | undefined} values
 * @returns {string | null} Null where the server's own sentence says it.
 */
export function chineseOf(code, values = {}) {
  const sentence = language() === 'zh' && code ? sentences[code] : undefined;
  if (sentence === undefined) {
    return null;
  }
  const has = (/** @type {string} */ text) => names(text).every((name) => values[name] !== undefined && values[name] !== null);
  const told = sentence.replace(/\[([^\]]*)\]/g, (_, part) => (has(part) ? part : ''));
  return has(told) ? told.replace(/\{(\w+)\}/g, (_, name) => valueOf(name, values[name])) : null;
}

/**
 * A paragraph with what the server says.
 * @param {string} style
 * @param {string} sentence The server's sentence, in English.
 * @param {string} [code]
 * @param {Record<string, any>} [values]
 */
export function saidBy(style, sentence, code, values) {
  const chinese = chineseOf(code, values);
  return chinese === null ? el('p', { class: style, lang: 'en' }, sentence) : el('p', { class: style }, chinese);
}

/** @param {string} text */
const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);

/**
 * @param {string} name
 * @param {any} value
 * @returns {string}
 */
function valueOf(name, value) {
  if (bytes.has(name)) {
    return amount(value);
  }
  if (seconds.has(name)) {
    return duration(value);
  }
  if (name === 'prompt') {
    return promptName(String(value));
  }
  if (name === 'kinds') {
    return String(value).split('; ').map(kindName).join('；');
  }
  return name === 'origin' ? origins[value] ?? String(value) : String(value);
}

/** @param {string} kind Such as "weights such as (a:1.2)" or "the word BREAK". */
function kindName(kind) {
  const [, name, example] = /^(.+?) such as (.*?)(?:, (?:which|whose) [^,]*)?$/.exec(kind) ?? [];
  const [, word] = /^the word (\w+)$/.exec(kind) ?? [];
  return word ?? (kinds[name] === undefined ? kind : `${kinds[name]} ${example}`);
}

/** @param {string} name Such as "negative prompt" or "second part of the prompt". */
function promptName(name) {
  const [, ordinal, negative] = /^(?:(\w+) part of the )?(negative )?prompt$/.exec(name) ?? [];
  const whole = negative === undefined ? '绘意' : '避讳';
  const place = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth'].indexOf(ordinal ?? '');
  return place < 0 ? whole : `${whole}第 ${place + 1} 段`;
}
