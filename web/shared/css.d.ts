// Style sheets are bundled as text, for constructable style sheets that a content security policy allows.
declare module "*.css" {
  const text: string;
  export default text;
}
