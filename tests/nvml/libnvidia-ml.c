/* A stand-in for NVIDIA's management library: what it answers stands in the file that ALLOTMENT_TEST_NVML names (without
   that, in the file `answers` beside the library), read again at each nvmlInit, so that devices can fail, vanish and
   come back while a program runs.

     init 18                                     nvmlInit fails with this error
     hang                                        nvmlInit never answers
     gpu uuid=GPU-… name=NVIDIA_A100 memory=40960 used=512 util=37    (MiB, percent; _ is a space)
         ecc=1 remap_failed=1 remap_pending=1 retired=60 retire_pending=1 recovery=2   what is wrong with it
         error=15                                its handle cannot be had
         lost=15                                 it has a handle and a UUID, and answers nothing else
         mig=1                                   it is in MIG mode; its slices follow
     slice uuid=MIG-… compute=1 slices=1 memory=4864 used=0
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID = 2, UNSUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7 };
enum { MOST = 64, TEXT = 96, MIB = 1 << 20, RECOVERY_FIELD = 230 };

typedef struct { char line[1024], uuid[TEXT], name[TEXT]; int is_slice, parent; } Device;
typedef struct { unsigned id, scope; int64_t at, latency; unsigned type, result; union { unsigned number; double wide; } value; } Field;
typedef struct { unsigned processors, copy, decoder, encoder, jpeg, ofa, slices, compute; unsigned long long memory; } Attributes;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned gpu, memory; } Utilisation;

static Device devices[MOST];
static int count;

static long number(const Device *device, const char *key) {
    char wanted[40];
    snprintf(wanted, sizeof wanted, " %s=", key);
    const char *found = strstr(device->line, wanted);
    return found ? strtol(found + strlen(wanted), NULL, 10) : 0;
}

static void text(const Device *device, const char *key, char *into) {
    char wanted[40];
    snprintf(wanted, sizeof wanted, " %s=", key);
    const char *found = strstr(device->line, wanted);
    if (found) sscanf(found + strlen(wanted), "%95s", into); else into[0] = 0;
    for (char *c = into; *c; c++) if (*c == '_') *c = ' ';
}

static FILE *answers(void) {
    const char *named = getenv("ALLOTMENT_TEST_NVML");
    char library[1024], beside[1100];
    Dl_info here;
    if (named) return fopen(named, "r");
    if (!dladdr((void *)devices, &here)) return NULL;
    snprintf(library, sizeof library, "%s", here.dli_fname);
    snprintf(beside, sizeof beside, "%s/answers", dirname(library));
    return fopen(beside, "r");
}

int nvmlInitWithFlags(unsigned flags) {
    FILE *file = answers();
    char line[1024];
    int failure = 0, parent = -1;
    (void)flags;
    count = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "init %d", &failure) == 1) break;
        while (!strncmp(line, "hang", 4)) pause();
        if (strncmp(line, "gpu ", 4) && strncmp(line, "slice ", 6)) continue;
        Device *device = &devices[count];
        strcpy(device->line, line);
        device->is_slice = line[0] == 's';
        if (!device->is_slice) parent = count;
        device->parent = parent;
        text(device, "uuid", device->uuid);
        text(device, "name", device->name);
        count++;
    }
    if (file) fclose(file);
    return failure;
}

int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int result) {
    switch (result) {
    case 9: return "Driver Not Loaded";
    case 15: return "GPU is lost";
    case 18: return "Driver/library version mismatch";
    default: return "Some other error";
    }
}

static int nth(int index, int slices_of, Device **found) {
    for (int i = 0; i < count; i++) {
        int fits = slices_of < 0 ? !devices[i].is_slice : devices[i].is_slice && devices[i].parent == slices_of;
        if (fits && index-- == 0) { *found = &devices[i]; return SUCCESS; }
    }
    return NOT_FOUND;
}

int nvmlDeviceGetCount_v2(unsigned *total) {
    *total = 0;
    for (int i = 0; i < count; i++) *total += !devices[i].is_slice;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **handle) {
    if (nth((int)index, -1, handle)) return INVALID;
    return (int)number(*handle, "error");
}

int nvmlDeviceGetHandleByUUID(const char *uuid, Device **handle) {
    for (int i = 0; i < count; i++)
        if (!strcmp(devices[i].uuid, uuid)) { *handle = &devices[i]; return (int)number(*handle, "error"); }
    return NOT_FOUND;
}

#define LOST_CHECK(device) do { int lost = (int)number(device, "lost"); if (lost) return lost; } while (0)
#define WHOLE_GPU(device) do { LOST_CHECK(device); if ((device)->is_slice) return UNSUPPORTED; } while (0)

int nvmlDeviceGetUUID(Device *device, char *into, unsigned size) { snprintf(into, size, "%s", device->uuid); return SUCCESS; }
int nvmlDeviceGetName(Device *device, char *into, unsigned size) { LOST_CHECK(device); snprintf(into, size, "%s", device->name); return SUCCESS; }

int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    LOST_CHECK(device);
    memory->total = (unsigned long long)number(device, "memory") * MIB;
    memory->used = (unsigned long long)number(device, "used") * MIB;
    memory->free = memory->total - memory->used;
    return memory->total ? SUCCESS : UNSUPPORTED;
}

int nvmlDeviceGetUtilizationRates(Device *device, Utilisation *use) {
    WHOLE_GPU(device);
    use->gpu = (unsigned)number(device, "util");
    use->memory = 0;
    return SUCCESS;
}

int nvmlDeviceGetTotalEccErrors(Device *device, int type, int counter, unsigned long long *errors) {
    WHOLE_GPU(device);
    *errors = type == 1 && counter == 0 ? (unsigned long long)number(device, "ecc") : 0;
    return SUCCESS;
}

int nvmlDeviceGetRemappedRows(Device *device, unsigned *corrected, unsigned *uncorrected, unsigned *pending, unsigned *failed) {
    WHOLE_GPU(device);
    *corrected = *uncorrected = 0;
    *pending = (unsigned)number(device, "remap_pending");
    *failed = (unsigned)number(device, "remap_failed");
    return SUCCESS;
}

int nvmlDeviceGetRetiredPages(Device *device, int cause, unsigned *pages, unsigned long long *addresses) {
    WHOLE_GPU(device);
    unsigned retired = cause == 1 ? (unsigned)number(device, "retired") : 0;
    if (*pages < retired || !addresses) { *pages = retired; return retired ? TOO_SMALL : SUCCESS; }
    for (unsigned i = 0; i < retired; i++) addresses[i] = i;
    *pages = retired;
    return SUCCESS;
}

int nvmlDeviceGetRetiredPagesPendingStatus(Device *device, unsigned *pending) {
    WHOLE_GPU(device);
    *pending = (unsigned)number(device, "retire_pending");
    return SUCCESS;
}

int nvmlDeviceGetFieldValues(Device *device, int fields, Field *values) {
    WHOLE_GPU(device);
    for (int i = 0; i < fields; i++) {
        values[i].result = values[i].id == RECOVERY_FIELD ? SUCCESS : UNSUPPORTED;
        values[i].value.number = (unsigned)number(device, "recovery");
    }
    return SUCCESS;
}

int nvmlDeviceGetMigMode(Device *device, unsigned *current, unsigned *pending) {
    WHOLE_GPU(device);
    *current = *pending = (unsigned)number(device, "mig");
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *most) { WHOLE_GPU(device); *most = 7; return SUCCESS; }

int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **slice) {
    WHOLE_GPU(device);
    return nth((int)index, (int)(device - devices), slice);
}

int nvmlDeviceGetAttributes_v2(Device *device, Attributes *attributes) {
    memset(attributes, 0, sizeof *attributes);
    if (!device->is_slice) return INVALID;
    attributes->slices = (unsigned)number(device, "slices");
    attributes->compute = (unsigned)number(device, "compute");
    attributes->memory = (unsigned long long)number(device, "memory");
    return SUCCESS;
}
