/*
 * rawscan measures what the engine alone reaches: hs_scan in block mode over a
 * file cut at line ends into arenas of 256 KiB, with a callback that counts.
 *
 *   cc -O2 -o rawscan rawscan.c -lhs
 *   leakveil rules triggers > triggers.txt
 *   rawscan triggers.txt FILE
 *
 * It prints "bytes seconds events expressions database_bytes": the seconds are
 * thread CPU time of the scan alone, without compiling and reading. Expressions
 * are lines "id:/expression/flags" as Hyperscan's own hsbench reads them.
 */
#define _GNU_SOURCE
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARENA = 256 << 10, MAX_EXPRESSIONS = 1 << 16 };

static char *expressions[MAX_EXPRESSIONS];
static unsigned flags[MAX_EXPRESSIONS], ids[MAX_EXPRESSIONS];

static void die(const char *what, const char *detail) {
    fprintf(stderr, "rawscan: %s: %s\n", what, detail);
    exit(1);
}

static unsigned flag_of(char c) {
    switch (c) {
    case 'i': return HS_FLAG_CASELESS;
    case 's': return HS_FLAG_DOTALL;
    case 'm': return HS_FLAG_MULTILINE;
    case 'H': return HS_FLAG_SINGLEMATCH;
    case 'V': return HS_FLAG_ALLOWEMPTY;
    case '8': return HS_FLAG_UTF8;
    case 'W': return HS_FLAG_UCP;
    case 'P': return HS_FLAG_PREFILTER;
    case 'L': return HS_FLAG_SOM_LEFTMOST;
    }
    die("unknown flag", (char[]){c, 0});
    return 0;
}

static unsigned read_expressions(const char *path) {
    FILE *in = fopen(path, "r");
    if (!in) die("cannot read", path);
    char *line = NULL;
    size_t room = 0;
    unsigned n = 0;
    for (ssize_t len; (len = getline(&line, &room, in)) > 0;) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r')) line[--len] = 0;
        if (len == 0 || line[0] == '#') continue;
        char *colon = strchr(line, ':'), *end = strrchr(line, '/');
        if (!colon || colon[1] != '/' || end <= colon + 1) die("want id:/expression/flags, have", line);
        if (n == MAX_EXPRESSIONS) die("too many expressions in", path);
        ids[n] = (unsigned)strtoul(line, NULL, 10);
        flags[n] = 0;
        for (const char *p = end + 1; *p; p++) flags[n] |= flag_of(*p);
        *end = 0;
        expressions[n++] = strdup(colon + 2);
    }
    free(line);
    fclose(in);
    return n;
}

static char *read_file(const char *path, size_t *size) {
    FILE *in = fopen(path, "rb");
    if (!in || fseek(in, 0, SEEK_END)) die("cannot read", path);
    *size = (size_t)ftell(in);
    rewind(in);
    char *data = malloc(*size + 1);
    if (!data || fread(data, 1, *size, in) != *size) die("cannot read all of", path);
    fclose(in);
    return data;
}

static int count(unsigned id, unsigned long long from, unsigned long long to, unsigned f, void *events) {
    (void)id, (void)from, (void)to, (void)f;
    ++*(unsigned long *)events;
    return 0;
}

/* cut returns the end of the arena that starts at from: behind its last line end. */
static size_t cut(const char *data, size_t from, size_t size) {
    if (size - from <= ARENA) return size;
    for (size_t end = from + ARENA; end > from; end--)
        if (data[end - 1] == '\n') return end;
    return from + ARENA; /* a line longer than an arena */
}

static double thread_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 3) die("usage", "rawscan EXPRESSIONS FILE");
    unsigned n = read_expressions(argv[1]);
    hs_database_t *db = NULL;
    hs_compile_error_t *why = NULL;
    if (hs_compile_multi((const char *const *)expressions, flags, ids, n, HS_MODE_BLOCK, NULL, &db, &why))
        die("compile", why->message);
    hs_scratch_t *scratch = NULL;
    size_t database = 0, size = 0;
    if (hs_alloc_scratch(db, &scratch) || hs_database_size(db, &database)) die("hyperscan", "no scratch");
    char *data = read_file(argv[2], &size);
    unsigned long events = 0;
    double start = thread_seconds();
    for (size_t from = 0; from < size;) {
        size_t end = cut(data, from, size);
        if (hs_scan(db, data + from, (unsigned)(end - from), 0, scratch, count, &events)) die("scan", argv[2]);
        from = end;
    }
    printf("%zu %.6f %lu %u %zu\n", size, thread_seconds() - start, events, n, database);
    return 0;
}
