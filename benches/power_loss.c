/* Power loss and failing syncs, for the torture: preloaded into a server, it keeps apart what the database files hold
 * and what a disk would still hold after a power cut.
 *
 * For each page that was written and not yet synced it remembers what is on disk. A sync that succeeds forgets the
 * pages it covered; a sync that is made to fail leaves them "clean and lost", as Linux does: they read back as
 * written, no later sync writes them out, and only a page that is written again has another chance. When the power
 * goes, the remembered pages are put back and the process kills itself before anyone else can act.
 *
 *   POWER_LOSS_FOLDER   the files in it are watched (not those ending in -shm: nobody relies on them)
 *   POWER_LOSS_CONTROL  a FIFO of one-letter orders:
 *        n  the power goes, nothing that was not synced survives
 *        s  the power goes, some of it survives: whole pages, single sectors, or not at all, by chance
 *        k  the process dies, the power stays: what it wrote is still there and still not synced, and the next
 *           process under this library is told so by POWER_LOSS_STATE
 *        e  the next sync fails with EIO        d  the next sync of a file not ending in -wal does
 *   POWER_LOSS_STATE    a file for that
 *   POWER_LOSS_LOG      what was done, a line each
 *
 * A file that was created is gone unless its folder was synced too. Deleting and renaming are taken as durable, and
 * what a memory map writes is not seen: SQLite maps only its -shm.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, SECTOR = 512, BUCKETS = 8192 };

struct page {
    off_t number;
    bool dirty; /* written since the last sync that succeeded or failed */
    unsigned char on_disk[PAGE];
    struct page *next;
};

struct file {
    dev_t device;
    ino_t inode;
    int fd; /* our own, never closed: closing it would drop the process's locks on the file */
    char path[PATH_MAX];
    bool created; /* and its folder not synced since */
    off_t size_on_disk;
    struct page *pages[BUCKETS];
    struct file *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static char folder[PATH_MAX];
static int log_fd = -1;
static int fail_any, fail_database;
static volatile bool power_is_gone;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_openat)(int, const char *, int, ...);

static void find_real(void) {
    if (real_openat) return;
    real_write = dlsym(RTLD_NEXT, "write");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_openat = dlsym(RTLD_NEXT, "openat64");
}

static void say(const char *format, ...) {
    char line[PATH_MAX + 200];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (log_fd >= 0 && real_write(log_fd, line, (size_t)length) < 0) abort();
}

static bool ends_with(const char *path, const char *end) {
    size_t whole = strlen(path), part = strlen(end);
    return whole >= part && strcmp(path + whole - part, end) == 0;
}

static bool is_watched(const char *path) {
    size_t length = strlen(folder);
    return length && strncmp(path, folder, length) == 0 && path[length] == '/' && !ends_with(path, "-shm");
}

/* The watched file behind a descriptor; NULL for everything else. Called with the lock held. */
static struct file *watched(int fd) {
    struct stat status;
    if (!folder[0] || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
    for (struct file *file = files; file; file = file->next)
        if (file->inode == status.st_ino && file->device == status.st_dev) return file;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    if (!is_watched(path)) return NULL;
    struct file *file = calloc(1, sizeof *file);
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->size_on_disk = status.st_size;
    file->fd = real_openat(AT_FDCWD, link, O_RDWR | O_CLOEXEC);
    if (file->fd < 0) abort();
    strcpy(file->path, path);
    file->next = files;
    return files = file;
}

/* Remembers what is on disk of the pages that are about to change. */
static void remember(struct file *file, off_t from, off_t length) {
    for (off_t number = from / PAGE; length > 0 && number <= (from + length - 1) / PAGE; number++) {
        struct page **bucket = &file->pages[number % BUCKETS], *page = *bucket;
        while (page && page->number != number) page = page->next;
        if (!page) {
            page = calloc(1, sizeof *page); /* beyond the end, a disk gives zeros */
            page->number = number;
            if (pread(file->fd, page->on_disk, PAGE, number * PAGE) < 0) abort();
            page->next = *bucket;
            *bucket = page;
        }
        page->dirty = true;
    }
}

static void after_sync(struct file *file, bool succeeded) {
    for (int at = 0; at < BUCKETS; at++) {
        for (struct page **place = &file->pages[at]; *place;) {
            struct page *page = *place;
            if (succeeded && page->dirty) {
                *place = page->next;
                free(page);
            } else {
                page->dirty = false;
                place = &page->next;
            }
        }
    }
    struct stat status;
    if (succeeded && fstat(file->fd, &status) == 0) file->size_on_disk = status.st_size;
}

/* --- the power goes ------------------------------------------------------------------------------------------- */

static bool chance(int one_in) { return random() % one_in == 0; }

static void put_back(struct file *file, bool some_survives, long *lost, long *kept) {
    struct stat status;
    if (fstat(file->fd, &status) != 0 || status.st_nlink == 0) return; /* deleted meanwhile */
    if (file->created) {
        unlink(file->path);
        return;
    }
    off_t size = file->size_on_disk;
    if (some_survives && chance(2)) size = status.st_size;
    for (int at = 0; at < BUCKETS; at++) {
        for (struct page *page = file->pages[at]; page; page = page->next) {
            unsigned char now[PAGE] = {0};
            if (pread(file->fd, now, PAGE, page->number * PAGE) < 0) abort();
            int fate = some_survives ? (int)(random() % 3) : 0;
            for (int sector = 0; sector < PAGE; sector += SECTOR)
                if (fate == 0 || (fate == 1 && chance(2))) memcpy(now + sector, page->on_disk + sector, SECTOR);
            if (fate == 2) ++*kept; else ++*lost;
            if (page->number * PAGE < size && real_pwrite(file->fd, now, PAGE, page->number * PAGE) < 0) abort();
        }
    }
    if (real_ftruncate(file->fd, size) != 0) abort();
}

static void lose_power(bool some_survives) {
    power_is_gone = true; /* a sync that is under way and returns now comes too late */
    pthread_mutex_lock(&lock);
    long lost = 0, kept = 0;
    for (struct file *file = files; file; file = file->next) put_back(file, some_survives, &lost, &kept);
    say("power lost: %ld unsynced pages lost or torn, %ld survived\n", lost, kept);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* --- the process dies and the power stays ---------------------------------------------------------------------- */

struct kept_file { char path[PATH_MAX]; bool created; off_t size_on_disk; long pages; };

static void die(void) {
    power_is_gone = true;
    pthread_mutex_lock(&lock);
    FILE *state = fopen(getenv("POWER_LOSS_STATE"), "we");
    long all = 0;
    for (struct file *file = files; file; file = file->next) {
        struct kept_file kept = {.created = file->created, .size_on_disk = file->size_on_disk};
        struct stat status;
        if (fstat(file->fd, &status) != 0 || status.st_nlink == 0) continue;
        strcpy(kept.path, file->path);
        for (int at = 0; at < BUCKETS; at++)
            for (struct page *page = file->pages[at]; page; page = page->next) kept.pages++;
        if (!state || fwrite(&kept, sizeof kept, 1, state) != 1) abort();
        for (int at = 0; at < BUCKETS; at++)
            for (struct page *page = file->pages[at]; page; page = page->next)
                if (fwrite(page, sizeof *page, 1, state) != 1) abort();
        all += kept.pages;
    }
    if (!state || fclose(state) != 0) abort();
    say("killed: %ld unsynced pages stay\n", all);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* What an earlier process left without a sync. */
static void inherit(const char *path) {
    FILE *state = path ? fopen(path, "re") : NULL;
    struct kept_file kept;
    while (state && fread(&kept, sizeof kept, 1, state) == 1) {
        struct stat status;
        struct file *file = calloc(1, sizeof *file);
        file->fd = real_openat(AT_FDCWD, kept.path, O_RDWR | O_CLOEXEC);
        if (file->fd < 0 || fstat(file->fd, &status) != 0) abort();
        file->device = status.st_dev;
        file->inode = status.st_ino;
        file->created = kept.created;
        file->size_on_disk = kept.size_on_disk;
        strcpy(file->path, kept.path);
        for (; kept.pages > 0; kept.pages--) {
            struct page *page = calloc(1, sizeof *page);
            if (fread(page, sizeof *page, 1, state) != 1) abort();
            page->next = file->pages[page->number % BUCKETS];
            file->pages[page->number % BUCKETS] = page;
        }
        file->next = files;
        files = file;
    }
    if (!state) return;
    fclose(state);
    unlink(path);
}

static void *obey(void *path) {
    /* for reading and writing: the end of one who gives orders is not the end of orders */
    int orders = real_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    char order;
    while (orders >= 0 && read(orders, &order, 1) == 1) {
        if (order == 'n' || order == 's') lose_power(order == 's');
        if (order == 'k') die();
        pthread_mutex_lock(&lock);
        if (order == 'e') fail_any++;
        if (order == 'd') fail_database++;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

__attribute__((constructor)) static void begin(void) {
    find_real();
    const char *watch = getenv("POWER_LOSS_FOLDER"), *control = getenv("POWER_LOSS_CONTROL"), *log = getenv("POWER_LOSS_LOG");
    if (!watch || !control || !realpath(watch, folder)) return;
    if (log) log_fd = real_openat(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    inherit(getenv("POWER_LOSS_STATE"));
    srandom((unsigned)getpid());
    pthread_t thread;
    if (pthread_create(&thread, NULL, obey, strdup(control)) != 0) abort();
}

/* --- what the program calls ----------------------------------------------------------------------------------- */

static int synced(int fd, int (*sync)(int)) {
    struct stat status;
    char link[64], path[PATH_MAX];
    pthread_mutex_lock(&lock);
    struct file *file = watched(fd);
    int result, error;
    if (file && (fail_any || (fail_database && !ends_with(file->path, "-wal")))) {
        if (fail_any) fail_any--; else fail_database--;
        after_sync(file, false);
        say("sync failed: %s\n", file->path);
        result = -1;
        error = EIO;
    } else {
        /* with the lock held: what would be written during a sync waits for its end */
        result = sync(fd);
        error = errno;
        if (file && result == 0 && !power_is_gone) after_sync(file, true);
        if (!file && result == 0 && folder[0] && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(link, path, sizeof path - 1);
            path[length < 0 ? 0 : length] = 0;
            for (struct file *made = files; made; made = made->next) {
                const char *name = strrchr(made->path, '/');
                if ((size_t)(name - made->path) == strlen(path) && strncmp(made->path, path, strlen(path)) == 0)
                    made->created = false;
            }
        }
    }
    pthread_mutex_unlock(&lock);
    while (power_is_gone) pause();
    errno = error;
    return result;
}

int fsync(int fd) { find_real(); return synced(fd, real_fsync); }
int fdatasync(int fd) { find_real(); return synced(fd, real_fdatasync); }

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
    find_real();
    pthread_mutex_lock(&lock);
    struct file *file = watched(fd);
    if (file) remember(file, at, (off_t)length);
    ssize_t result = real_pwrite(fd, bytes, length, at);
    pthread_mutex_unlock(&lock);
    return result;
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

static void remember_here(int fd, off_t length) {
    struct file *file = watched(fd);
    if (!file) return;
    bool at_end = fcntl(fd, F_GETFL) & O_APPEND;
    struct stat status;
    if (fstat(fd, &status) == 0) remember(file, at_end ? status.st_size : lseek(fd, 0, SEEK_CUR), length);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    find_real();
    if (!folder[0]) return real_write(fd, bytes, length);
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return real_write(fd, bytes, length); /* sockets may block */
    pthread_mutex_lock(&lock);
    remember_here(fd, (off_t)length);
    ssize_t result = real_write(fd, bytes, length);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    find_real();
    struct stat status;
    if (!folder[0] || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return real_writev(fd, parts, count);
    pthread_mutex_lock(&lock);
    off_t length = 0;
    for (int at = 0; at < count; at++) length += (off_t)parts[at].iov_len;
    remember_here(fd, length);
    ssize_t result = real_writev(fd, parts, count);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off_t size) {
    find_real();
    pthread_mutex_lock(&lock);
    struct file *file = watched(fd);
    struct stat status;
    if (file && fstat(fd, &status) == 0) remember(file, size, status.st_size - size);
    int result = real_ftruncate(fd, size);
    pthread_mutex_unlock(&lock);
    return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* What the program must not use, since it would go unseen. */
int fallocate64(int fd, int mode, off_t at, off_t length) { (void)fd; (void)mode; (void)at; (void)length; errno = EOPNOTSUPP; return -1; }
int fallocate(int fd, int mode, off_t at, off_t length) { return fallocate64(fd, mode, at, length); }

int openat64(int base, const char *name, int flags, ...) {
    find_real();
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (!folder[0] || !(flags & (O_CREAT | O_TRUNC)) || !is_watched(name)) return real_openat(base, name, flags, mode);
    pthread_mutex_lock(&lock);
    bool is_new = access(name, F_OK) != 0;
    if (!is_new && (flags & O_TRUNC)) abort(); /* SQLite does not */
    int fd = real_openat(base, name, flags, mode);
    if (fd >= 0 && is_new) {
        struct file *file = watched(fd);
        if (file) file->created = true;
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(NAME, BASE, ...) \
    int NAME(__VA_ARGS__ const char *name, int flags, ...) { \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0; \
        va_end(arguments); \
        return openat64(BASE, name, flags, mode); \
    }
#define COMMA ,
OPEN(openat, base, int base COMMA)
OPEN(open64, AT_FDCWD, )
OPEN(open, AT_FDCWD, )
