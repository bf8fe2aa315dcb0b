// Field offsets of the records that the SDK writes into linear memory and the core reads. Plain numbers only: this
// file is compiled by AssemblyScript and imported by the SDK, so that a layout is written once.
// Not here: the map of linear memory (memory.ts) and anything that computes.

/** Columns are stored in blocks of this many entries; a row's zero blocks are skipped. */
export const BLOCK = 8;

/** Rows of a data set, packed: see pack.ts. */
export const ROWS_FORMAT = 0; // i32: FORMAT_U8 or FORMAT_F64
export const ROWS_N = 4; // i32: number of rows
export const ROWS_D = 8; // i32: number of columns before padding
export const ROWS_STRIDE = 12; // i32: bytes of one packed row
export const ROWS_DATA = 16; // pointer: n * stride bytes, padding columns zero
export const ROWS_NORMS = 20; // pointer: n float64, squared norms in raw units (exact integers for 8-bit data)
export const ROWS_BLOCKS = 24; // pointer: n * blocks uint16, indices of the non-zero blocks (8-bit data only)
export const ROWS_COUNTS = 28; // pointer: n int32, how many of them (8-bit data only)
export const ROWS_SCALE = 32; // f64: value = raw * scale
export const ROWS_INDEX = 40; // pointer: n int32, which row of a table each one is; 0: its own number
export const ROWS_BYTES = 48;

export const FORMAT_U8 = 0;
export const FORMAT_F64 = 1;

/** A kernel: of a network (kernel/recursion.ts, activation.ts), made of others, or a table of values (kernel/compose.ts). */
export const KERNEL_KIND = 0; // i32: KIND_*
export const KERNEL_DEPTH = 4; // i32: hidden layers, >= 1
export const KERNEL_WEIGHT_VARIANCE = 8; // f64
export const KERNEL_BIAS_VARIANCE = 16; // f64
export const KERNEL_ACTIVATION = 24; // i32: ACTIVATION_*
export const KERNEL_COUNT = 28; // i32: parts of a sum or product; entries of a table's row
export const KERNEL_PARTS = 32; // pointer: the parts' int32 pointers; a table's f64 values, row by row
export const KERNEL_FACTOR = 40; // f64: slope of the leaky ReLU; factor of a sum
export const KERNEL_BYTES = 48;

export const KIND_NTK = 0;
export const KIND_NNGP = 1;
export const KIND_SUM = 2; // factor times the sum of the parts
export const KIND_PRODUCT = 3;
export const KIND_TABLE = 4;

export const ACTIVATION_RELU = 0;
export const ACTIVATION_LEAKY_RELU = 1;
export const ACTIVATION_ERF = 2;
export const ACTIVATION_SINE = 3;

/** A symmetric Gram matrix in tiles: see gram/tiles.ts. */
export const GRAM_ROWS = 0; // pointer to Rows
export const GRAM_KERNEL = 4; // pointer to Kernel
export const GRAM_STORAGE = 8; // i32: STORAGE_*
export const GRAM_TILES = 12; // pointer: tiles on and above the diagonal (absent when streamed)
export const GRAM_BYTES = 16;

export const STORAGE_NONE = 0; // tiles are computed again for every use
export const STORAGE_F64 = 1;
export const STORAGE_F32 = 2;

/** Rows and columns of one tile. */
export const TILE = 256;

/** Most vectors in one matrix-vector product. */
export const MAX_VECTORS = 16;

/** Scratch bytes each thread needs: one tile, one row of inner products, and certification's per-row terms. */
export const SCRATCH_BYTES = 1048576;

/** A certification job: see bounds/certify.ts. */
export const CERTIFY_KERNEL = 0; // pointer to Kernel
export const CERTIFY_INPUTS = 4; // pointer to Rows: the inputs to certify
export const CERTIFY_ROWS = 8; // pointer to Rows: the machine's training rows
export const CERTIFY_ALPHA = 12; // pointer: f64 coefficients, one a row
export const CERTIFY_RESULTS = 16; // pointer: CERTIFICATE_BYTES for each input
export const CERTIFY_WORK = 20; // pointer: for each thread, CERTIFY_SHARE f64
export const CERTIFY_BIAS = 24; // f64
export const CERTIFY_LOW = 32; // f64: search bracket
export const CERTIFY_HIGH = 40; // f64
export const CERTIFY_TOLERANCE = 48; // f64: relative width at which the search stops
export const CERTIFY_LIMIT = 56; // f64: milliseconds after which the search of an input ends, Infinity for never
export const CERTIFY_STOP = 64; // i32: not 0 ends all searches
export const CERTIFY_MOVABLE = 68; // i32: leading columns that a perturbation may change, of a machine's job
export const CERTIFY_TOP = 72; // f64: largest raw entry of the domain [0, top], Infinity without a domain
export const CERTIFY_METHOD = 80; // i32: METHOD_*
export const CERTIFY_NORM = 84; // i32: NORM_*
export const CERTIFY_SHARE = 88; // i32: f64 entries of CERTIFY_WORK for each thread
export const CERTIFY_ESTIMATE = 92; // i32: 1 leaves out everything that makes a bound safe from rounding
export const CERTIFY_TOUCHING = 96; // pointer: a record of TOUCHING_* for each input, 0 for none
export const CERTIFY_BYTES = 104;

/** Inputs that share a pass over the rows of a machine, for the interval method. */
export const INTERVAL_GROUP = 16;

/** Bound methods of machines. */
export const METHOD_INTERVAL = 0;
export const METHOD_LINEAR = 1;
export const METHOD_CURVATURE = 2;
export const METHOD_DEEP = 3; // the interval bound of kernels of more layers

/** Norms of the balls. */
export const NORM_INF = 0;
export const NORM_2 = 1;
export const NORM_1 = 2;

export const CERTIFICATE_DECISION = 0; // f64: g(x0), rounded to nearest
export const CERTIFICATE_RADIUS = 8; // f64: last verified radius, -1 when the sign of g(x0) itself is not proved
export const CERTIFICATE_MARGIN = 16; // f64: proved lower bound of |g| on the ball of that radius
export const CERTIFICATE_EVALUATIONS = 24; // f64: bounds evaluated
export const CERTIFICATE_TIMED_OUT = 32; // f64: 1 when the time limit ended the search
export const CERTIFICATE_BYTES = 40;

/** Where the parabolas of the form touched that proved an input's radius: see bounds/curvature.ts. */
export const TOUCHING_SHARE = 0; // f64: share of the way from x0 to a corner of the box; 0 when no form was needed
export const TOUCHING_OUTSIDE = 8; // f64: 1 when entries that no row touches lie at their ends too
export const TOUCHING_SIDES = 16; // u8 for each packed column: 2 for the corner's upper end, 1 for its lower, 0 untouched

/** State of one run of mini-batch subgradient descent: see solver/subgradient.ts. */
export const SGD_GRAM = 0; // pointer to Gram
export const SGD_LABELS = 4; // pointer: n f64, -1 or +1
export const SGD_ALPHA = 8; // pointer: n f64
export const SGD_OUTPUT = 12; // pointer: n f64, g at the start of the epoch
export const SGD_PUSH = 16; // pointer: n f64, what this epoch's violators add to g
export const SGD_POSITIVE = 20; // pointer: n f64, sum of the positive K_ki alpha_i
export const SGD_NEGATIVE = 24; // pointer: n f64, minus the sum of the negative ones
export const SGD_STEP = 28; // pointer: n f64, this epoch's addition to alpha (0 where no violation)
export const SGD_ORDER = 32; // pointer: n i32, the permutation
export const SGD_BATCH = 36; // i32
export const SGD_RATE = 40; // f64: learning rate eta
export const SGD_LAMBDA = 48; // f64
export const SGD_RANDOM = 56; // 4 * u64: generator state
export const SGD_VIOLATIONS = 88; // f64: violations seen in the last epoch
export const SGD_EXACT = 96; // f64: rows that had to be summed exactly in the last epoch
export const SGD_ROW = 104; // pointer: n f64, one row of the Gram matrix
export const SGD_BYTES = 112;

/** Neurons in one block of a layer: its weights lie together, input by input. See network/. */
export const NEURONS = 32;

/** One hidden layer of a finite network. Row buffers hold `rows` rows of `blocks * NEURONS` float32. */
export const LAYER_FAN_IN = 0; // i32
export const LAYER_WIDTH = 4; // i32
export const LAYER_BLOCKS = 8; // i32: ceil(width / NEURONS)
export const LAYER_WEIGHTS = 12; // pointer: f32, block by block: [block][input][NEURONS]
export const LAYER_VALUES = 16; // pointer: f32 pre-activations of the batch's rows, or 0 in a very wide lone layer
export const LAYER_ERRORS = 20; // pointer: f32 derivatives of the loss by pre-activation (all layers but a lone one)
export const LAYER_COUNTS = 24; // pointer: i32, active neurons of each row
export const LAYER_ACTIVE = 28; // pointer: i32 indices of the active neurons, `width` a row
export const LAYER_ACTIVE_VALUES = 32; // pointer: f32 their values
export const LAYER_SCALE = 40; // f64: s_l
export const LAYER_BYTES = 48;

/** A finite network in training: see network/rows.ts. */
export const NET_LAYERS = 0; // i32: hidden layers
export const NET_LAYER = 4; // pointer: LAYER_BYTES for each hidden layer
export const NET_OUTPUT = 8; // pointer: f32 weights of the last layer, padded with zeros to whole blocks
export const NET_STARTS = 12; // pointer: n + 1 int32, where each row's entries begin
export const NET_COLUMNS = 16; // pointer: int32 columns of the non-zero entries
export const NET_ENTRIES = 20; // pointer: f32 their values
export const NET_LABELS = 24; // pointer: n f64
export const NET_CENTRE = 28; // pointer: n f64, f_0 of each row (zeros when not centred)
export const NET_ORDER = 32; // pointer: int32 rows, step after step
export const NET_STEP_STARTS = 36; // pointer: steps + 1 int32, where each step's rows begin in NET_ORDER
export const NET_PARTIALS = 40; // pointer: 2 * blocks * (batch + 1) f64: each block's share of outputs and regulariser
export const NET_BATCH = 44; // i32: most rows in a step
export const NET_WORK = 48; // pointer: for each participant, batch * NET_WORK_BYTES + NET_LIST_BYTES
export const NET_REPORTS = 52; // pointer: f64 pairs (loss, regulariser), one a step
export const NET_BARRIER = 56; // pointer: 2 int32
export const NET_PARTICIPANTS = 60; // i32
export const NET_LOSS = 64; // i32: LOSS_*
export const NET_STOPPED = 68; // i32: 1 + the step (of this call) at which a value left the finite numbers, or 0
export const NET_OUTPUT_SCALE = 72; // f64: s_{L+1}
export const NET_RATE = 80; // f64: learning rate
export const NET_LAMBDA = 88; // f64
export const NET_EPSILON = 96; // f64
export const NET_CARRY = 104; // pointer: LAYER_BYTES for each hidden layer, its weights what rounding left over, or 0
export const NET_CARRY_OUTPUT = 108; // pointer: the same of the last layer's weights, or 0
export const NET_BYTES = 112;

/** Work memory of each participant for each row of a step: a slope (f64), a pair of int32, a block of pushes (f32). */
export const NET_WORK_BYTES = 144;

/** Rows and inputs that network/lists.ts lists at a time, and the bytes of its lists, for each participant. */
export const LIST_ROWS = 128;
export const LIST_INPUTS = 1024;
export const NET_LIST_BYTES = 1056768; // LIST_INPUTS * (8 + 8 * LIST_ROWS)

/** Losses of Table 1: see math/loss.ts. */
export const LOSS_HINGE = 0;
export const LOSS_SQUARED_HINGE = 1;
export const LOSS_EPSILON = 2;
export const LOSS_SQUARED = 3;
export const LOSS_LOGISTIC = 4;

/** Subgradient descent of a kernel machine with any loss: see dynamics/descent.ts. */
export const DESCENT_GRAM = 0; // pointer to Gram
export const DESCENT_LABELS = 4; // pointer: n f64
export const DESCENT_ALPHA = 8; // pointer: n f64
export const DESCENT_OUTPUT = 12; // pointer: n f64, g_t at the rows
export const DESCENT_KEPT = 16; // pointer: 2 n f64, alpha and g before the step at hand
export const DESCENT_CHANGE = 20; // pointer: n f64, what the step at hand adds to alpha
export const DESCENT_ROW = 24; // pointer: n f64, one row of the Gram matrix, or one product with it
export const DESCENT_SHARES = 28; // pointer: shares of a product (gram/product.ts)
export const DESCENT_ORDER = 32; // pointer: int32 rows, step after step
export const DESCENT_STARTS = 36; // pointer: steps + 1 int32, where each step's rows begin in DESCENT_ORDER
export const DESCENT_LOSS = 40; // i32: LOSS_*
export const DESCENT_DECAY = 44; // i32: DECAY_*
export const DESCENT_STOPPED = 48; // i32: 1 + the step (of this call) at which a value left the finite numbers, or 0
export const DESCENT_RATE = 56; // f64: learning rate eta
export const DESCENT_LAMBDA = 64; // f64
export const DESCENT_WEIGHT = 72; // f64: weight of each row's loss; 0 is the mean over the step's rows
export const DESCENT_EPSILON = 80; // f64
export const DESCENT_BYTES = 88;

/** Whether the regulariser shrinks every coefficient in a step (equation 5), or only those of its batch (Table 2). */
export const DECAY_ALL = 0;
export const DECAY_BATCH = 1;

/** A certification job of a finite network: CERTIFY_RESULTS, _LOW, _HIGH, _TOLERANCE, _LIMIT, _STOP as above, and these. */
export const IBP_NETWORK = 72; // pointer: LAYER_BYTES records of the trained network
export const IBP_OUTPUT = 76; // pointer: its output weights
export const IBP_SPREADS = 80; // pointer: f64, sum_k |W_kj| of the first layer, rounded up, padded to whole blocks
export const IBP_CENTRE = 84; // pointer: records of the network at the start, 0 when outputs are not centred
export const IBP_CENTRE_OUTPUT = 88; // pointer
export const IBP_CENTRE_SPREADS = 92; // pointer
export const IBP_LAYERS = 96; // i32: hidden layers
export const IBP_STARTS = 100; // pointer: n + 1 int32, where each input's entries begin
export const IBP_COLUMNS = 104; // pointer: int32 columns of the non-zero entries; with planes, slots of columns
export const IBP_ENTRIES = 108; // pointer: f64 raw entries; with planes, int32: the two 8-bit entries of each slot
export const IBP_DIFFERENCE = 112; // i32: 1 bounds f - f_0, 0 keeps f_0 at the centre
export const IBP_WORK = 116; // pointer: for each thread, IBP_WORK_ENTRIES f64
export const IBP_WORK_ENTRIES = 120; // i32: see ibpOpen() in bounds/ibp.ts; widths padded to whole blocks
export const IBP_VALUES = 124; // pointer: f64, the first layer's sums, one row an input of the slice in hand
export const IBP_SCALE = 128; // f64: value = raw * scale
export const IBP_FACTOR = 136; // f64: product of all layers' scales and IBP_SCALE: outputs in real units
export const IBP_WIDEST = 144; // i32: largest width, padded to whole blocks
export const IBP_CENTRE_VALUES = 148; // pointer: the same of the network at the start; 0: none, or IBP_OFFSETS instead
export const IBP_OFFSETS = 152; // pointer: f64, each block's share of f_0 and of its size, for each input of the slice
export const IBP_SIZES = 156; // pointer: f64 triples, max |x_k|, sum |x_k| and the number of x_k != 0 of each input
export const IBP_PLANES = 160; // pointer: int16 weights of the first layer, see bounds/planes.ts; 0: float32 ones
export const IBP_STEPS = 164; // pointer: f64, for each block and plane the steps of its neurons
export const IBP_ERRORS = 168; // pointer: f64, what the planes may be wrong by, one a neuron
export const IBP_CENTRE_PLANES = 172; // pointer: planes of the network at the start; 0: it shares the coarse plane
export const IBP_CENTRE_STEPS = 176; // pointer
export const IBP_CENTRE_ERRORS = 180; // pointer
export const IBP_SLOTS = 184; // i32: pairs of columns
export const IBP_SLOT_COLUMNS = 188; // pointer: int32, the two columns of each slot, -1 for none
export const IBP_LOSS = 192; // f64: what planes cost, a unit of sum |x_k|: in the output, of deep networks in the radius
export const IBP_CENTRE_LOSS = 200; // f64
export const IBP_BYTES = 208;

/**
 * A certification job by relaxation of a two-layer network: see bounds/relaxed.ts. CERTIFY_RESULTS,
 * _LOW, _HIGH, _TOLERANCE, _LIMIT, _STOP as above.
 */
export const RELAX_NETWORK = 72; // pointer: LAYER_BYTES record of the trained hidden layer
export const RELAX_OUTPUT = 76; // pointer: its output weights
export const RELAX_SPREADS = 80; // pointer: f64, sum_k |W_kj| rounded up, padded to whole blocks
export const RELAX_START = 84; // pointer: record of the layer that takes part as the start; the trained one when none does
export const RELAX_START_OUTPUT = 88; // pointer: its output weights, zeros when none takes part
export const RELAX_START_SPREADS = 92; // pointer
export const RELAX_APART = 96; // pointer: f64, sum_k |W_kj - W0_kj| rounded up
export const RELAX_FROZEN = 100; // pointer: record of the layer whose value at the centre is taken off, 0: none
export const RELAX_FROZEN_OUTPUT = 104; // pointer
export const RELAX_FROZEN_SPREADS = 108; // pointer
export const RELAX_POINTS = 112; // pointer: f64 raw entries of the inputs, d a row
export const RELAX_WORK = 116; // pointer: for each thread, RELAX_SHARE f64
export const RELAX_SHARE = 120; // i32: see relaxedEntries() in bounds/relaxed.ts
export const RELAX_METHOD = 124; // i32: RELAX_LINES or RELAX_PARABOLAS
export const RELAX_SCALE = 128; // f64: value = raw * scale
export const RELAX_FACTOR = 136; // f64: product of both layers' scales and RELAX_SCALE: outputs in real units
export const RELAX_BYTES = 144;

/** Whether neurons are bounded below by planes alone, or by parabolas too. */
export const RELAX_LINES = 0;
export const RELAX_PARABOLAS = 1;

/** What an attack evaluates: ATTACK_MODEL. */
export const MODEL_MACHINE = 0;
export const MODEL_NETWORK = 1;

/** How an attack looks: ATTACK_METHOD. */
export const ATTACK_PGD = 0;
export const ATTACK_FGSM = 1;

/** How steps shrink: ATTACK_SCHEDULE. */
export const SCHEDULE_CONSTANT = 0;
export const SCHEDULE_LINEAR = 1;
export const SCHEDULE_HALVING = 2;

/** An attack on the inputs of a slice: see attack/search.ts. Points are f64 in data units and in packed order. */
export const ATTACK_MODEL = 0; // i32: MODEL_*
export const ATTACK_KERNEL = 4; // pointer to Kernel
export const ATTACK_ROWS = 8; // pointer to Rows: the machine's training rows
export const ATTACK_ALPHA = 12; // pointer: f64 coefficients
export const ATTACK_NETWORK = 16; // pointer: LAYER_BYTES records
export const ATTACK_OUTPUT = 20; // pointer: f32 output weights
export const ATTACK_CENTRE = 24; // pointer: records of the network at the start, 0 when outputs are not centred
export const ATTACK_CENTRE_OUTPUT = 28; // pointer
export const ATTACK_LAYERS = 32; // i32: hidden layers
export const ATTACK_DIFFERENCE = 36; // i32: 1 attacks f - f_0, 0 keeps f_0 at the clean input
export const ATTACK_ENTRIES = 40; // i32: entries of a point with padding, a multiple of 4
export const ATTACK_COLUMNS = 44; // i32: entries without
export const ATTACK_POINTS = 48; // pointer: clean inputs, one after another
export const ATTACK_FOUND = 52; // pointer: the nearest adversarial inputs found
export const ATTACK_RESULTS = 56; // pointer: ATTACKED_BYTES for each input
export const ATTACK_INDICES = 60; // pointer: int32 rows of the data set, which the random numbers hang on
export const ATTACK_WORK = 64; // pointer: for each input ATTACK_WORK_BYTES, see attackWork() in attack/search.ts
export const ATTACK_WORK_BYTES = 68; // i32
export const ATTACK_NORM = 72; // i32: NORM_*
export const ATTACK_DOMAIN = 76; // i32: 1 keeps every entry in [0, 1]
export const ATTACK_METHOD = 80; // i32: ATTACK_PGD or ATTACK_FGSM
export const ATTACK_SCHEDULE = 84; // i32: SCHEDULE_*
export const ATTACK_STEPS = 88; // i32: most steps at one radius
export const ATTACK_LANES = 92; // i32: starts at one radius, even
export const ATTACK_SEED = 96; // u64
export const ATTACK_BIAS = 104; // f64
export const ATTACK_FACTOR = 112; // f64: product of a network's scales
export const ATTACK_STEP = 120; // f64: first step as a share of the radius
export const ATTACK_MOMENTUM = 128; // f64, in [0, 1)
export const ATTACK_TOLERANCE = 136; // f64: relative width of the bracket at which the search stops
export const ATTACK_LIMIT = 144; // f64: largest radius tried
export const ATTACK_MARGIN = 152; // f64: how far beyond 0 the output must be, as a share of the sum of its absolute terms
export const ATTACK_NEURONS = 160; // i32: padded widths of all hidden layers together
export const ATTACK_WIDEST = 164; // i32: largest padded width or number of inputs
export const ATTACK_BYTES = 168;

export const ATTACKED_RADIUS = 0; // f64: distance of the adversarial input, Infinity when none was found
export const ATTACKED_FAILED = 8; // f64: largest radius below it that was tried in vain
export const ATTACKED_EVALUATIONS = 16; // f64: outputs and gradients computed
export const ATTACKED_BYTES = 24;
