// The look of the site: VitePress' own without its fonts, so that text is in the reader's.
import DefaultTheme from "vitepress/theme-without-fonts";
import "./style.css";

export default DefaultTheme;
