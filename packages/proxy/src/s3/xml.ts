import { isUtf8 } from 'node:buffer';
import { SaxesParser } from 'saxes';
import { S3Error } from './errors';

/** An element of a request's XML, its names without their namespaces. */
export interface XmlElement {
  name: string;
  /** Attributes by local name. */
  attributes: Readonly<Record<string, string>>;
  children: XmlElement[];
  /** Character data of the element itself. */
  text: string;
}

/** The deepest document of S3, an access control policy, has five levels. */
const maxDepth = 8;
/** The longest, the parts of an upload with their checksums, has 40,000. */
const maxElements = 100_000;

/**
 * Reads a document whose root has the given name. `MalformedXML` for anything else: what is not well-formed, has another
 * root, or a document type, so that there are no entities but XML's own five and nothing that could grow or be fetched.
 */
export function parseXml(bytes: Buffer, rootName: string): XmlElement {
  if (!isUtf8(bytes)) throw new S3Error('MalformedXML');
  const parser = new SaxesParser({ xmlns: true });
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  const refuse = () => {
    throw new S3Error('MalformedXML');
  };
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('opentag', ({ local, attributes }) => {
    const element: XmlElement = { name: local, attributes: localNames(attributes), children: [], text: '' };
    if (open.length >= maxDepth || ++count > maxElements) refuse();
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const onText = (text: string) => {
    const element = open.at(-1);
    if (element) element.text += text;
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.write(bytes.toString('utf8')).close();
  if (root?.name !== rootName) throw new S3Error('MalformedXML');
  return root;
}

function localNames(attributes: Record<string, { local: string; value: string }>): Record<string, string> {
  return Object.fromEntries(Object.values(attributes).map(({ local, value }) => [local, value]));
}

/** The text of the only child of that name; `undefined` without one. `MalformedXML` if there are several. */
export function findText(element: XmlElement, name: string): string | undefined {
  return findChild(element, name)?.text;
}

export function findChild(element: XmlElement, name: string): XmlElement | undefined {
  const found = element.children.filter((child) => child.name === name);
  if (found.length > 1) throw new S3Error('MalformedXML');
  return found[0];
}

/** Refuses elements that nobody would look at. */
export function allowOnly(element: XmlElement, names: readonly string[]): void {
  if (!element.children.every(({ name }) => names.includes(name))) throw new S3Error('MalformedXML');
}

/** One element with text; empty text makes an empty element. */
export function textElement(name: string, text: string | number | boolean | undefined): string {
  return text === undefined || text === '' ? `<${name}/>` : `<${name}>${escapeText(String(text))}</${name}>`;
}

/** One element around others. */
export function element(name: string, ...children: string[]): string {
  const inner = children.join('');
  return inner === '' ? `<${name}/>` : `<${name}>${inner}</${name}>`;
}

/** A whole document in the namespace of S3. */
export function xmlDocument(root: string, ...children: string[]): Buffer {
  const inner = children.join('');
  const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return Buffer.from(`${xmlHead}<${root} ${namespace}${inner === '' ? '/>' : `>${inner}</${root}>`}`);
}

const xmlHead = "<?xml version='1.0' encoding='UTF-8'?>\n";

/** Owners, initiators, grantees: the name of a user is its id. */
export function userElement(name: string, id: string): string {
  return element(name, textElement('ID', id), textElement('DisplayName', id));
}

const markup: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const special = /[&<>\r\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/** What XML 1.0 cannot hold goes out as a numeric reference, as from AWS; clients avoid it by `encoding-type=url`. */
function escapeText(text: string): string {
  return text.replace(special, (char) => markup[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);
}

/** The body of a refusal. */
export function renderError({ code, message, info }: S3Error, requestId?: string): string {
  const fields = Object.entries(info).map(([name, value]) => textElement(name, value));
  if (requestId !== undefined) fields.unshift(textElement('RequestId', requestId));
  return xmlHead + element('Error', textElement('Code', code), textElement('Message', message), ...fields);
}
