// SPDX-License-Identifier: MIT
// A small implementation of private anonymous memory that speaks the mapspec protocol on stdin and stdout.
// Build: cc -std=c11 -Wall -Wextra -O2 -o skeleton examples/skeleton.c
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256, MOST_PAGES = 32768, LINE = 1 << 16 };

struct page { bool there; char holds[8]; };                                // "" is a page of zeros
struct region { char process[8], name[40]; long pages; struct page *page; };
static char processes[MOST][8];      // "" is a free place
static struct region regions[MOST];  // all zeros is a free place

// The text after `"key":` in a request, or NULL.  Requests are flat, and within a string every " is written \",
// so nothing but a key can look like one.
static const char *find(const char *line, const char *key) {
	char pattern[48];
	snprintf(pattern, sizeof pattern, "\"%s\":", key);
	const char *at = strstr(line, pattern);
	return at ? at + strlen(pattern) : NULL;
}

static long number(const char *line, const char *key, long otherwise) {
	const char *at = find(line, key);
	return at ? strtol(at, NULL, 10) : otherwise;
}

// Copy a string field; "" if it is not there, is not a string or does not fit.
static char *text(const char *line, const char *key, char *out, size_t size) {
	const char *at = find(line, key);
	size_t n = 0;
	if (at && *at++ == '"')
		for (; *at && *at != '"' && n < size; at++)  // tokens need no escapes but \" and \\ .
			out[n++] = *at == '\\' && at[1] ? *++at : *at;
	out[at && *at == '"' && n < size ? n : 0] = 0;
	return out;
}

static char *find_process(const char *name) {
	for (int i = 0; i < MOST; i++)
		if (!strcmp(processes[i], name)) return processes[i];
	return NULL;
}

static struct region *find_region(const char *process, const char *name) {
	for (int i = 0; i < MOST; i++)
		if (!strcmp(regions[i].process, process) && !strcmp(regions[i].name, name)) return &regions[i];
	return NULL;
}

static struct region *add_region(const char *process, const char *name, long pages) {
	struct region *r = find_region("", "");
	if (!r || !(r->page = calloc((size_t)pages, sizeof *r->page))) return NULL;
	snprintf(r->process, sizeof r->process, "%s", process);
	snprintf(r->name, sizeof r->name, "%s", name);
	for (r->pages = 0; r->pages < pages; r->pages++) r->page[r->pages].there = true;
	return r;
}

// What follows answers: NULL is ok, E… an errno, SIG… a signal, anything else says why it is unsupported.
static const char *start(const char *process) {
	char *place = find_process("");
	if (!place || find_process(process)) return place ? "EEXIST" : "ENOMEM";
	snprintf(place, sizeof processes[0], "%s", process);
	return NULL;
}

static const char *forget(const char *process) {  // NULL: everybody
	for (int i = 0; i < MOST; i++) {
		if (!process || !strcmp(processes[i], process)) processes[i][0] = 0;
		if (process && strcmp(regions[i].process, process)) continue;
		free(regions[i].page);
		regions[i] = (struct region){0};
	}
	return NULL;
}

static const char *fork_to(const char *parent, const char *child) {
	const char *failed = start(child);
	for (struct region *from = regions, *to; !failed && from < regions + MOST; from++) {
		if (strcmp(from->process, parent)) continue;
		if (!(to = add_region(child, from->name, from->pages))) return forget(child), "ENOMEM";
		memcpy(to->page, from->page, (size_t)from->pages * sizeof *to->page);
	}
	return failed;
}

static const char *map(const char *line, const char *process, const char *name) {
	long pages = number(line, "pages", 0);
	if (!strstr(line, "\"sharing\":\"private\"") || !strstr(line, "\"file\":null") ||
	    !strstr(line, "\"hugetlb\":false") || !strstr(line, "\"protection\":\"read-write\"") || number(line, "order", 0))
		return "skeleton.c maps private, anonymous, writable base pages only";
	if (find_region(process, name)) return "EEXIST";
	return pages < 1 || pages > MOST_PAGES || !add_region(process, name, pages) ? "ENOMEM" : NULL;
}

static const char *on_pages(const char *line, char what, struct region *r) {
	long first = number(line, "first", 0), count = number(line, "count", 1);
	char value[8];
	text(line, "value", value, sizeof value);
	bool inside = r && first >= 0 && count >= 1 && first < r->pages && count <= r->pages - first;
	if (what == 'u' && !inside) return "EINVAL";
	for (long i = first; what != 'u' && inside && i < first + count; i++) inside = r->page[i].there;
	if (!inside) return "SIGSEGV";
	if (what == 'r') printf("\"value\":[");
	for (long i = first; i < first + count; i++) {
		if (what == 'u') r->page[i].there = false;
		if (what == 'w') strcpy(r->page[i].holds, value);
		if (what != 'r') continue;
		printf("%s\"", i > first ? "," : "");
		for (const char *c = r->page[i].holds; *c; c++) printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		printf("\"");
	}
	if (what == 'r') printf("],");
	return NULL;
}

static const char *handle(const char *line, const char *request) {
	char process[8], child[8], name[40];
	text(line, "process", process, sizeof process);
	text(line, "region", name, sizeof name);
	if (!strcmp(request, "hello"))
		return printf("\"value\":{\"protocol\":1,\"name\":\"skeleton.c\",\"profile\":\"linux-7.3\",\"capabilities\":[],"
			      "\"missing\":{\"frames\":\"skeleton.c keeps contents and no pages of memory\"},"
			      "\"parameters\":{\"page_size\":4096,\"word_bits\":64,\"orders\":[0]}},"), NULL;
	if (!strcmp(request, "reset") || !strcmp(request, "goodbye")) return forget(NULL);
	if (!strcmp(request, "start")) return start(process);
	if (*process && !find_process(process)) return "ESRCH";
	if (!strcmp(request, "fork")) return fork_to(process, text(line, "child", child, sizeof child));
	if (!strcmp(request, "exit")) return forget(process);
	if (!strcmp(request, "map")) return map(line, process, name);
	bool pages = !strcmp(request, "read") || !strcmp(request, "write") || !strcmp(request, "unmap");
	return pages ? on_pages(line, *request, find_region(process, name)) : "skeleton.c does not know this request";
}

int main(void) {
	static char line[LINE], request[32];
	while (strcmp(request, "goodbye") && fgets(line, sizeof line, stdin)) {
		printf("{\"seq\":%ld,", number(line, "seq", 0));
		const char *why = handle(line, text(line, "do", request, sizeof request));
		if (!why) puts("\"status\":\"ok\"}");
		else if (!strncmp(why, "SIG", 3)) printf("\"status\":\"signal\",\"signal\":\"%s\"}\n", why);
		else if (*why == 'E') printf("\"status\":\"errno\",\"errno\":\"%s\"}\n", why);
		else printf("\"status\":\"unsupported\",\"why\":\"%s\"}\n", why);
		fflush(stdout);
	}
}
