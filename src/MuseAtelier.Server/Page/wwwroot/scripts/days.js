// Days as headings: today, yesterday, or a date in the painter's language.
import { language, t } from './i18n.js';

const digits = '〇一二三四五六七八九';

/**
 * The key of the day on which a moment lies, by the clock of this machine.
 * @param {string} time ISO 8601.
 */
export function dayOf(time) {
  const date = new Date(time);
  const day = Number.isNaN(date.getTime()) ? new Date(0) : date;
  return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
}

/**
 * The heading of a day.
 * @param {string} day As dayOf gives it.
 */
export function dayTitle(day) {
  const now = new Date();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (day === dayOf(now.toISOString())) {
    return t('today');
  }
  if (day === dayOf(yesterday.toISOString())) {
    return t('yest');
  }
  const [year, month, date] = day.split('-').map(Number);
  const isThisYear = year === now.getFullYear();
  if (language() === 'zh') {
    return (isThisYear ? '' : `${year}年`) + `${chineseNumber(month)}月${chineseNumber(date)}日`;
  }
  /** @type {Intl.DateTimeFormatOptions} */
  const format = { day: 'numeric', month: 'long', ...(isThisYear ? {} : { year: 'numeric' }) };
  return new Intl.DateTimeFormat('en-GB', format).format(new Date(year, month - 1, date));
}

/**
 * A number below one hundred in Chinese numerals: 21 is 二十一.
 * @param {number} number
 */
function chineseNumber(number) {
  const tens = Math.floor(number / 10);
  const ones = number % 10;
  const ten = tens === 0 ? '' : `${tens === 1 ? '' : digits[tens]}十`;
  return ten + (ones === 0 ? '' : digits[ones]);
}

/** @param {number} number */
function pad(number) {
  return String(number).padStart(2, '0');
}
