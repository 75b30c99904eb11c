/* Checking request bodies: see form.h. The codes and their words are Discord's own. */
#include "form.h"

#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"

void form_finish(struct form *form)
{
	cJSON_Delete(form->errors);
	form->errors = NULL;
}

/* The node of the tree for a dotted path, made when it is not there. */
static cJSON *node_at(struct form *form, const char *path)
{
	cJSON *node;

	if (!form->errors)
		form->errors = cJSON_CreateObject();
	node = form->errors;
	while (*path) {
		size_t len = strcspn(path, ".");
		char *key = xstrndup(path, len);
		cJSON *next = cJSON_GetObjectItemCaseSensitive(node, key);

		if (!next) {
			next = cJSON_CreateObject();
			cJSON_AddItemToObject(node, key, next);
		}
		free(key);
		node = next;
		path += len + (path[len] == '.');
	}
	return node;
}

void form_error(struct form *form, const char *path, const char *code, const char *format, ...)
{
	cJSON *node = node_at(form, path), *list = cJSON_GetObjectItemCaseSensitive(node, "_errors");
	cJSON *error = cJSON_CreateObject();
	struct str text cleanup(str_finish) = STR_INIT;
	va_list args;

	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	cJSON_AddStringToObject(error, "code", code);
	cJSON_AddStringToObject(error, "message", text.buf);
	if (!list) {
		list = cJSON_CreateArray();
		cJSON_AddItemToObject(node, "_errors", list);
	}
	cJSON_AddItemToArray(list, error);
}

void form_write(const struct form *form, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin_object(&w);
	json_put_string(&w, "message", "Invalid Form Body");
	json_put_int(&w, "code", 50035);
	json_key(&w, "errors");
	json_write_tree(&w, form->errors);
	json_end_object(&w);
}

void form_path(struct str *out, const char *path, const char *key)
{
	if (*path)
		str_printf(out, "%s.", path);
	str_adds(out, key);
}

static void check_length(struct form *form, const char *path, size_t count, const struct form_rule *rule)
{
	if ((int64_t)count >= rule->min && (int64_t)count <= rule->max)
		return;
	if (rule->min > 0 && count == 0 && rule->flags & FORM_REQUIRED)
		form_error(form, path, "BASE_TYPE_REQUIRED", "This field is required");
	else if (rule->min > 0)
		form_error(form, path, "BASE_TYPE_BAD_LENGTH", "Must be between %lld and %lld in length.",
			(long long)rule->min, (long long)rule->max);
	else
		form_error(
			form, path, "BASE_TYPE_MAX_LENGTH", "Must be %lld or fewer in length.", (long long)rule->max);
}

static void check_text(struct form *form, const char *path, const cJSON *value, const struct form_rule *rule)
{
	const char *text = value->valuestring;

	if (cJSON_IsNumber(value) || cJSON_IsBool(value))
		return; /* Discord turns it into text */
	if (!cJSON_IsString(value)) {
		form_error(form, path, "STRING_TYPE_CONVERT", "Could not interpret \"%s\" as string.", "{}");
		return;
	}
	if (rule->kind == FORM_NAME)
		text += strspn(text, " \t\r\n");
	check_length(form, path, utf8_count(text, strlen(text)), rule);
}

static void check_integer(struct form *form, const char *path, const cJSON *value, const struct form_rule *rule)
{
	double number = value->valuedouble;
	int64_t parsed;

	if (cJSON_IsString(value) && parse_i64(value->valuestring, &parsed) == 0)
		number = (double)parsed;
	else if (!cJSON_IsNumber(value) || (rule->kind == FORM_INTEGER && number != (double)(int64_t)number)) {
		form_error(form, path, "NUMBER_TYPE_COERCE", "Value \"%s\" is not %s.",
			cJSON_IsString(value) ? value->valuestring : "", rule->kind == FORM_INTEGER ? "int" : "float");
		return;
	}
	if (number < (double)rule->min)
		form_error(form, path, "NUMBER_TYPE_MIN", "int value should be greater than or equal to %lld.",
			(long long)rule->min);
	if (number > (double)rule->max)
		form_error(form, path, "NUMBER_TYPE_MAX", "int value should be less than or equal to %lld.",
			(long long)rule->max);
}

static void check_snowflake(struct form *form, const char *path, const cJSON *value)
{
	if (!json_snowflake_value(value))
		form_error(form, path, "NUMBER_TYPE_COERCE", "Value \"%s\" is not snowflake.",
			cJSON_IsString(value) ? value->valuestring : "");
}

static void check_bits(struct form *form, const char *path, const cJSON *value)
{
	uint64_t bits;

	if (cJSON_IsNumber(value) && value->valuedouble >= 0)
		return;
	if (!cJSON_IsString(value) || parse_u64(value->valuestring, &bits) < 0)
		form_error(form, path, "NUMBER_TYPE_COERCE", "Value \"%s\" is not int.",
			cJSON_IsString(value) ? value->valuestring : "");
}

static void check_url(struct form *form, const char *path, const cJSON *value, const struct form_rule *rule)
{
	static const char *const schemes[] = { "http://", "https://", "attachment://" };
	const char *url = value->valuestring;

	if (!cJSON_IsString(value)) {
		form_error(form, path, "STRING_TYPE_CONVERT", "Could not interpret \"%s\" as string.", "{}");
		return;
	}
	if (!*url)
		return; /* as good as missing */
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncmp(url, schemes[i], n) == 0 && url[n] && !strpbrk(url, " \t\r\n")) {
			check_length(form, path, utf8_count(url, strlen(url)), rule);
			return;
		}
	}
	if (strstr(url, "://") && !strpbrk(url, " \t\r\n"))
		form_error(form, path, "URL_TYPE_INVALID_SCHEME",
			"Scheme \"%.*s\" is not supported. Scheme must be one of ('http', 'https').",
			(int)(strstr(url, "://") - url), url);
	else
		form_error(form, path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
}

/* Exactly `count` digits at *at, which moves behind them; -1 when they are not there. */
static int take_digits(const char **at, int count)
{
	int number = 0;

	for (int i = 0; i < count; i++, ++*at) {
		if (**at < '0' || **at > '9')
			return -1;
		number = number * 10 + (**at - '0');
	}
	return number;
}

static bool take(const char **at, const char *one_of)
{
	if (!**at || !strchr(one_of, **at))
		return false;
	++*at;
	return true;
}

int form_parse_time(const char *text, usec *ret_at)
{
	struct civil civil = { 0 };
	int64_t zone = 0;

	civil.year = take_digits(&text, 4);
	civil.month = take(&text, "-") ? take_digits(&text, 2) : -1;
	civil.day = take(&text, "-") ? take_digits(&text, 2) : -1;
	if (civil.year < 0 || civil.month < 1 || civil.month > 12 || civil.day < 1 || civil.day > 31)
		return -EINVAL;
	if (*text) {
		civil.hour = take(&text, "Tt ") ? take_digits(&text, 2) : -1;
		civil.minute = take(&text, ":") ? take_digits(&text, 2) : -1;
		civil.second = take(&text, ":") ? take_digits(&text, 2) : 0;
		if (take(&text, "."))
			text += strspn(text, "0123456789");
		if (civil.hour < 0 || civil.hour > 23 || civil.minute < 0 || civil.minute > 59 || civil.second < 0 ||
			civil.second > 60)
			return -EINVAL;
	}
	if (*text == '+' || *text == '-') {
		int sign = *text++ == '-' ? -1 : 1, hours = take_digits(&text, 2);

		(void)take(&text, ":");
		zone = sign * (hours * 60 + take_digits(&text, 2)) * 60;
	} else {
		(void)take(&text, "Zz");
	}
	if (*text)
		return -EINVAL;
	*ret_at = (civil_to_seconds(&civil) - zone) * SECOND;
	return 0;
}

static void check_time(struct form *form, const char *path, const cJSON *value)
{
	usec at;

	if (!cJSON_IsString(value) || form_parse_time(value->valuestring, &at) < 0)
		form_error(form, path, "DATE_TIME_TYPE_PARSE", "Could not parse \"%s\". Should be ISO8601.",
			cJSON_IsString(value) ? value->valuestring : "");
}

static void check_list(struct form *form, const char *path, const cJSON *value, const struct form_rule *rule)
{
	size_t index = 0;

	if (!cJSON_IsArray(value)) {
		form_error(form, path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
		return;
	}
	check_length(form, path, (size_t)cJSON_GetArraySize(value), rule);
	json_array_each (item, value) {
		struct str inner cleanup(str_finish) = STR_INIT;

		str_printf(&inner, "%s.%zu", path, index++);
		if (rule->kind == FORM_SNOWFLAKES)
			check_snowflake(form, inner.buf, item);
		else if (rule->kind == FORM_TEXTS && !cJSON_IsString(item))
			form_error(form, inner.buf, "STRING_TYPE_CONVERT", "Could not interpret \"{}\" as string.");
		else if (rule->kind == FORM_LIST && !cJSON_IsObject(item))
			form_error(form, inner.buf, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
		else if (rule->kind == FORM_LIST && rule->sub)
			form_check(form, inner.buf, item, rule->sub);
	}
}

static void check_value(struct form *form, const char *path, const cJSON *value, const struct form_rule *rule)
{
	switch (rule->kind) {
	case FORM_TEXT:
	case FORM_NAME: check_text(form, path, value, rule); break;
	case FORM_INTEGER:
	case FORM_NUMBER: check_integer(form, path, value, rule); break;
	case FORM_BOOLEAN:
		if (!cJSON_IsBool(value))
			form_error(form, path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.");
		break;
	case FORM_SNOWFLAKE: check_snowflake(form, path, value); break;
	case FORM_BITS: check_bits(form, path, value); break;
	case FORM_URL: check_url(form, path, value, rule); break;
	case FORM_TIME: check_time(form, path, value); break;
	case FORM_OBJECT:
		if (!cJSON_IsObject(value))
			form_error(form, path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
		else if (rule->sub)
			form_check(form, path, value, rule->sub);
		break;
	case FORM_LIST:
	case FORM_SNOWFLAKES:
	case FORM_TEXTS: check_list(form, path, value, rule); break;
	case FORM_ANY: break;
	}
}

void form_check(struct form *form, const char *path, const cJSON *object, const struct form_rule *rules)
{
	for (const struct form_rule *rule = rules; rule->key; rule++) {
		const cJSON *value = json_get(object, rule->key);
		struct str inner cleanup(str_finish) = STR_INIT;

		form_path(&inner, path, rule->key);
		if (!value || (cJSON_IsNull(value) && rule->flags & FORM_NULL)) {
			if (!value && rule->flags & FORM_REQUIRED)
				form_error(form, inner.buf, "BASE_TYPE_REQUIRED", "This field is required");
			continue;
		}
		check_value(form, inner.buf, value, rule);
	}
}
