/* See html.h. */
#include "html.h"

void html_escape(struct str *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '&': str_adds(out, "&amp;"); break;
		case '<': str_adds(out, "&lt;"); break;
		case '>': str_adds(out, "&gt;"); break;
		case '"': str_adds(out, "&quot;"); break;
		case '\'': str_adds(out, "&#39;"); break;
		default: str_addc(out, text[i]);
		}
	}
}

/* A line per value: breaks after commas and brackets that are not inside of a text. */
static void indent(struct str *out, const char *json, size_t len)
{
	bool text = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = json[i];
		bool opens = !text && (c == '{' || c == '['), closes = !text && (c == '}' || c == ']');

		if (c == '"')
			text = !text;
		if (closes) {
			str_addc(out, '\n');
			for (int d = --depth; d > 0; d--)
				str_adds(out, "  ");
		}
		str_addc(out, c);
		if (c == '\\' && text)
			str_addc(out, json[++i]);
		if (c == ':' && !text)
			str_addc(out, ' ');
		if (opens || (!text && c == ',')) {
			depth += opens;
			str_addc(out, '\n');
			for (int d = depth; d > 0; d--)
				str_adds(out, "  ");
		}
	}
}

void html_wrap(const struct api *api, const struct request *request, const char *title, struct answer *answer)
{
	struct str json cleanup(str_finish) = answer->body;
	struct str lines cleanup(str_finish) = STR_INIT;
	struct str *out = &answer->body;

	str_init(out);
	indent(&lines, json.buf, json.len);
	str_printf(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		"<title>%s - Wall-E levelling API</title><link rel=\"stylesheet\" href=\"/leaderboard/pages.css\"></head>\n"
		"<body>\n<header><h1>%s</h1>\n<nav><a href=\"/leaderboard/\">Leaderboard</a> "
		"<a href=\"/docs/\">Documentation</a> <a href=\"/\">Resources</a></nav></header>\n<main><p><code>%s ",
		title, title, request->method_name);
	html_escape(out, request->raw_path, strlen(request->raw_path));
	str_printf(out, "</code> %d</p>\n<pre tabindex=\"0\">", answer->status);
	html_escape(out, lines.buf, lines.len);
	str_adds(out, "</pre>\n</main></body>\n</html>\n");
	answer->type = "text/html; charset=utf-8";
	answer->csp = api->page_csp;
}
