// Holds a running vault to its word with golang.org/x/mod/sumdb, which none of us wrote: go run verify.go URL API_KEY [SEED]
//
// It seals, and checks every answer with note.Open, tlog.CheckRecord, tlog.CheckTree and tlog.TileHashReader: theirs is all hashing and all
// checking. Here is only the asking, the taking apart of texts, and the spoiling of what is right; every mutant must be refused, by sumdb, and a
// receipt's also by the vault itself. SEED makes another run of mutants.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	leastMutants = 500
	kind         = "foreign.check"
	receiptHead  = "c2sp.org/tlog-proof@v1"
)

// From a size of 0 these end at 256 and at 512, where tiles fill, and between; from any size they cross two such places.
var batches = []int{1, 2, 57, 191, 256, 137, 60}

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fail("usage: verify.go URL API_KEY [SEED]")
	}
	seed := int64(1)
	if len(os.Args) == 4 {
		given, err := strconv.ParseInt(os.Args[3], 10, 64)
		must(err, "SEED is a number")
		seed = given
	}
	v := &vault{url: strings.TrimRight(os.Args[1], "/"), key: os.Args[2], http: &http.Client{Timeout: 40 * time.Second}, heads: map[int64]head{}, tiles: map[string][]byte{}}
	random := rand.New(rand.NewSource(seed))

	// A log that has nothing in it has nothing to show.
	first := v.call("POST", "/v1/vault/seals", 201, seal(0))
	v.meet()
	seals := append([]sealed{v.answered(first, 0)}, v.append()...)
	receipts := v.receipts(sample(random, seals, 40))
	v.head(v.text("/checkpoint", "text/plain; charset=utf-8"))
	// Only now, so that nobody else's seals are missed.
	entries := v.entries(v.largest())
	v.checkSeals(seals, entries)
	v.checkReceipts(receipts, entries)
	inclusions := v.checkInclusions(sample(random, seals, 120), entries, random)
	consistencies := v.checkConsistency()
	v.checkTree(entries, inclusions, consistencies)
	absent := v.checkAbsent()

	m := &mutants{Rand: random, vault: v, counts: map[string]int{}}
	m.checkpoints()
	m.keys()
	m.receipts(receipts)
	m.inclusions(inclusions)
	m.consistencies(consistencies)
	m.treeTiles()
	m.entries(inclusions)
	if m.total() < leastMutants {
		fail("only %d mutants were tried", m.total())
	}
	fmt.Printf("sumdb: %d seals, %d checkpoints, %d receipts, %d inclusion and %d consistency proofs, %d entries under %d tiles hold; %d paths lead nowhere; "+
		"of %d mutants (seed %d) none passed: %s\n",
		len(seals), len(v.heads), len(receipts), len(inclusions), len(consistencies), len(entries), len(v.tiles), absent, m.total(), seed, m)
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "vault: "+format+"\n", args...)
	os.Exit(1)
}

func must(err error, format string, args ...interface{}) {
	if err != nil {
		fail("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// What the vault said, and is held to.
type vault struct {
	url, key    string
	http        *http.Client
	log, origin string
	vkeys       []string
	known       note.Verifiers
	heads       map[int64]head
	tiles       map[string][]byte
}

// A checkpoint whose signature was checked.
type head struct {
	size int64
	root tlog.Hash
	note string
}

type sealed struct {
	index   int64
	payload interface{}
	leaf    string
	proof   tlog.RecordProof
	head    head
}

// An entry, and the proof that it is in the tree of a checkpoint.
type inclusion struct {
	index int64
	entry []byte
	proof tlog.RecordProof
	head  head
}

// The proof that one checkpoint's tree begins with another's.
type consistency struct {
	from, to head
	proof    tlog.TreeProof
}

// Asking.

func (v *vault) fetch(method, path string, body io.Reader, header map[string]string) (int, http.Header, []byte) {
	request, err := http.NewRequest(method, v.url+path, body)
	must(err, "%s %s", method, path)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	answer, err := v.http.Do(request)
	must(err, "%s %s", method, path)
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	must(err, "%s %s", method, path)
	return answer.StatusCode, answer.Header, got
}

// With the API key.
func (v *vault) call(method, path string, status int, value interface{}) []byte {
	header := map[string]string{"Authorization": "Bearer " + v.key}
	var body io.Reader
	if value != nil {
		text, err := json.Marshal(value)
		must(err, "%s %s", method, path)
		header["Content-Type"], body = "application/json", bytes.NewReader(text)
	}
	got, _, answer := v.fetch(method, path, body, header)
	if got != status {
		fail("%s %s: %d, not %d: %s", method, path, got, status, answer)
	}
	return answer
}

// As anybody, from any page.
func (v *vault) public(path, contentType string) ([]byte, error) {
	path = "/v1/vault/logs/" + v.log + path
	status, header, answer := v.fetch("GET", path, nil, map[string]string{"Origin": "https://stranger.example"})
	if status != 200 {
		return nil, fmt.Errorf("GET %s: %d: %s", path, status, answer)
	}
	if got := header.Get("Content-Type"); got != contentType {
		return nil, fmt.Errorf("GET %s: of type %q, not %q", path, got, contentType)
	}
	if got := header.Get("Access-Control-Allow-Origin"); got != "*" && got != "https://stranger.example" {
		return nil, fmt.Errorf("GET %s: a page may not read it", path)
	}
	return answer, nil
}

func (v *vault) text(path, contentType string) string {
	answer, err := v.public(path, contentType)
	must(err, "what is public")
	return string(answer)
}

func read(answer []byte, into interface{}) {
	must(json.Unmarshal(answer, into), "reading %.300s", answer)
}

// Taking apart.

func verifiers(vkeys []string) (note.Verifiers, error) {
	var list []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", vkey, err)
		}
		list = append(list, verifier)
	}
	return note.VerifierList(list...), nil
}

// A checkpoint of the log called origin (C2SP tlog-checkpoint), signed by one that is known.
func open(text, origin string, known note.Verifiers) (head, error) {
	opened, err := note.Open([]byte(text), known)
	if err != nil {
		return head{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return head{}, fmt.Errorf("not a checkpoint of %s", origin)
	}
	size, err := decimal(lines[1])
	if err != nil {
		return head{}, err
	}
	root, err := hash(lines[2])
	return head{size: size, root: root, note: text}, err
}

func decimal(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (number < 0 || strconv.FormatInt(number, 10) != text) {
		err = fmt.Errorf("%q is not how a number is written", text)
	}
	return number, err
}

func hash(text string) (tlog.Hash, error) {
	read, err := tlog.ParseHash(text)
	if err == nil && read.String() != text {
		err = fmt.Errorf("%q is not how a hash is written", text)
	}
	return read, err
}

func (i inclusion) check() error {
	return tlog.CheckRecord(i.proof, i.head.size, i.head.root, i.index, tlog.RecordHash(i.entry))
}

func (c consistency) check() error {
	return tlog.CheckTree(c.proof, c.to.size, c.to.root, c.from.size, c.from.root)
}

// A receipt (C2SP tlog-proof) that carries its entry: nothing but its text and the log's keys is needed.
func receipt(text, origin string, known note.Verifiers) (inclusion, error) {
	top, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(top, "\n")
	if !found || len(lines) < 3 || lines[0] != receiptHead || !strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return inclusion{}, fmt.Errorf("not a receipt with an entry")
	}
	entry, err := base64.StdEncoding.Strict().DecodeString(lines[1][len("extra "):])
	if err != nil {
		return inclusion{}, err
	}
	index, err := decimal(lines[2][len("index "):])
	if err != nil {
		return inclusion{}, err
	}
	proof := tlog.RecordProof{}
	for _, line := range lines[3:] {
		step, err := hash(line)
		if err != nil {
			return inclusion{}, err
		}
		proof = append(proof, step)
	}
	checked, err := open(checkpoint, origin, known)
	if err != nil {
		return inclusion{}, err
	}
	whole := inclusion{index: index, entry: entry, proof: proof, head: checked}
	return whole, whole.check()
}

// Opens a checkpoint and notes it. One size has one root.
func (v *vault) head(text string) head {
	opened, err := open(text, v.origin, v.known)
	must(err, "the checkpoint\n%s", text)
	if before, found := v.heads[opened.size]; found && before.root != opened.root {
		fail("two roots for size %d:\n%s%s", opened.size, before.note, text)
	}
	v.heads[opened.size] = opened
	return opened
}

func (v *vault) sizes() []int64 {
	var sizes []int64
	for size := range v.heads {
		sizes = append(sizes, size)
	}
	sort.Slice(sizes, func(i, j int) bool { return sizes[i] < sizes[j] })
	return sizes
}

func (v *vault) largest() head {
	sizes := v.sizes()
	return v.heads[sizes[len(sizes)-1]]
}

// Sealing.

func payload(n int) interface{} {
	return map[string]interface{}{"n": float64(n), "text": "zwölf Boxkämpfer \u2028 \U0001F600 </script>", "deep": []interface{}{nil, true, -0.5, map[string]interface{}{}}}
}

func seal(n int) interface{} {
	return map[string]interface{}{"kind": kind, "verdict": "SEAL", "payload": payload(n)}
}

// Learns the log's name and keys, from both places that tell them.
func (v *vault) meet() {
	var told struct {
		Log, Origin, Checkpoint, Root string
		Size                          int64
		Keys                          []string
	}
	read(v.call("GET", "/v1/vault/log", 200, nil), &told)
	v.log, v.origin, v.vkeys = told.Log, told.Origin, told.Keys
	if !strings.HasSuffix(v.origin, "/v1/vault/logs/"+v.log) {
		fail("the origin %s does not end with its log, %s", v.origin, v.log)
	}
	known, err := verifiers(v.vkeys)
	must(err, "the verifier keys")
	v.known = known
	if at := v.head(told.Checkpoint); at.size != told.Size || at.root.String() != told.Root {
		fail("the log is said to be at %d with root %s, but signed\n%s", told.Size, told.Root, told.Checkpoint)
	}
	if named := v.policy(); !reflect.DeepEqual(named, v.vkeys) {
		fail("the policy names the keys %v, the log %v", named, v.vkeys)
	}
}

// The log's keys by its policy (C2SP tlog-policy), sorted as they stand there.
func (v *vault) policy() []string {
	var keys []string
	quorums := 0
	for _, line := range strings.Split(v.text("/policy", "text/plain; charset=utf-8"), "\n") {
		words := strings.Fields(line)
		if len(words) >= 2 && words[0] == "log" {
			keys = append(keys, words[1])
			if len(words) > 2 && !strings.HasSuffix(strings.TrimRight(words[2], "/"), "/v1/vault/logs/"+v.log) {
				fail("the policy places the log at %s", words[2])
			}
		}
		if len(words) == 2 && words[0] == "quorum" {
			quorums++
		}
	}
	if quorums != 1 {
		fail("a policy has one quorum, not %d", quorums)
	}
	return keys
}

type answeredSeal struct {
	Index     int64
	At        time.Time
	LeafHash  string           `json:"leaf_hash"`
	Inclusion tlog.RecordProof `json:"inclusion_proof"`
}

func (s answeredSeal) under(at head, n int) sealed {
	return sealed{index: s.Index, payload: payload(n), leaf: s.LeafHash, proof: s.Inclusion, head: at}
}

// The place that a 201 gives for the checkpoint it carries.
func (v *vault) placed(answer []byte) head {
	var place struct {
		Log, Checkpoint string
		Size            int64
	}
	read(answer, &place)
	at := v.head(place.Checkpoint)
	if place.Log != v.log || place.Size != at.size {
		fail("sealed in %s at size %d, under the checkpoint\n%s", place.Log, place.Size, place.Checkpoint)
	}
	return at
}

func (v *vault) answered(answer []byte, n int) sealed {
	var one answeredSeal
	read(answer, &one)
	return one.under(v.placed(answer), n)
}

// Some seals alone, then batches.
func (v *vault) append() []sealed {
	var seals []sealed
	for n := 1; n < 5; n++ {
		seals = append(seals, v.answered(v.call("POST", "/v1/vault/seals", 201, seal(n)), n))
	}
	for _, count := range batches {
		first := len(seals) + 1
		var asked []interface{}
		for n := first; n < first+count; n++ {
			asked = append(asked, seal(n))
		}
		answer := v.call("POST", "/v1/vault/seals/batch", 201, map[string]interface{}{"seals": asked})
		var got struct{ Seals []answeredSeal }
		read(answer, &got)
		if len(got.Seals) != count {
			fail("of a batch of %d, %d are answered", count, len(got.Seals))
		}
		at := v.placed(answer)
		for i, one := range got.Seals {
			seals = append(seals, one.under(at, first+i))
		}
	}
	return seals
}

// Checking what is right.

// All entries of the tree, from its bundles.
func (v *vault) entries(at head) [][]byte {
	var entries [][]byte
	for n := int64(0); n*256 < at.size; n++ {
		width := at.size - n*256
		if width > 256 {
			width = 256
		}
		// Their level -1, at height 8, is this width and encoding.
		path := strings.Replace(tlog.Tile{H: 8, L: -1, N: n, W: int(width)}.Path(), "tile/8/data/", "/tile/entries/", 1)
		bundle, err := v.public(path, "application/octet-stream")
		must(err, "entries")
		for ; width > 0; width-- {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				fail("%s is cut", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			entries, bundle = append(entries, bundle[2:end]), bundle[end:]
		}
		if len(bundle) != 0 {
			fail("%s has %d bytes too many", path, len(bundle))
		}
	}
	return entries
}

// Each 201 against the checkpoint that it carried: the entry that is in the tree is the one that was to be sealed.
func (v *vault) checkSeals(seals []sealed, entries [][]byte) {
	for _, s := range seals {
		if s.index < 0 || s.index >= int64(len(entries)) {
			fail("a seal at %d, but there are %d entries", s.index, len(entries))
		}
		entry := entries[s.index]
		var said struct {
			Index             int64
			Kind, Verdict, At string
			Actor             string
			Payload           interface{}
		}
		read(entry, &said)
		if said.Index != s.index || said.Kind != kind || said.Verdict != "SEAL" || !reflect.DeepEqual(said.Payload, s.payload) {
			fail("what was sealed at %d is not what was asked: %s", s.index, entry)
		}
		leaf := tlog.RecordHash(entry)
		if s.leaf != hex.EncodeToString(leaf[:]) {
			fail("the leaf hash of %d is %x, answered %s", s.index, leaf[:], s.leaf)
		}
		must(inclusion{s.index, entry, s.proof, s.head}.check(), "the inclusion proof of %d at %d, as it was answered", s.index, s.head.size)
	}
}

func (v *vault) receipts(seals []sealed) []string {
	var texts []string
	for _, s := range seals {
		text := string(v.call("GET", fmt.Sprintf("/v1/vault/seals/%d/receipt", s.index), 200, nil))
		read, err := receipt(text, v.origin, v.known)
		must(err, "the receipt of %d\n%s", s.index, text)
		if read.index != s.index {
			fail("the receipt of %d is of another entry:\n%s", s.index, text)
		}
		if !v.accepts(text) {
			fail("the vault refuses its own receipt:\n%s", text)
		}
		v.head(read.head.note)
		texts = append(texts, text)
	}
	return texts
}

// A receipt's entry is, byte for byte, the one that anybody can fetch.
func (v *vault) checkReceipts(texts []string, entries [][]byte) {
	for _, text := range texts {
		read, err := receipt(text, v.origin, v.known)
		must(err, "a receipt")
		if !bytes.Equal(read.entry, entries[read.index]) {
			fail("entry %d is %s, its receipt\n%s", read.index, entries[read.index], text)
		}
	}
}

// What the vault itself says of a receipt.
func (v *vault) accepts(text string) bool {
	body, err := json.Marshal(map[string]string{"receipt": text})
	must(err, "asking about a receipt")
	status, _, answer := v.fetch("POST", "/v1/vault/verify", bytes.NewReader(body), map[string]string{"Content-Type": "application/json"})
	if status != 200 {
		fail("POST /v1/vault/verify: %d: %s", status, answer)
	}
	var verdict struct {
		Valid *bool
		Flaw  *string
	}
	read(answer, &verdict)
	if verdict.Valid == nil || *verdict.Valid != (verdict.Flaw == nil) {
		fail("POST /v1/vault/verify: valid and flaw contradict each other: %s", answer)
	}
	return *verdict.Valid
}

// Proofs for a size that the log once had, as anybody with an older checkpoint asks for them.
func (v *vault) checkInclusions(seals []sealed, entries [][]byte, random *rand.Rand) []inclusion {
	var proofs []inclusion
	for _, s := range seals {
		var larger []int64
		for _, size := range v.sizes() {
			if size > s.index {
				larger = append(larger, size)
			}
		}
		at := v.heads[larger[random.Intn(len(larger))]]
		var got struct {
			Index, Size int64
			LeafHash    string `json:"leaf_hash"`
			Root        tlog.Hash
			Hashes      tlog.RecordProof
		}
		read(v.call("GET", fmt.Sprintf("/v1/vault/proof/inclusion?index=%d&size=%d", s.index, at.size), 200, nil), &got)
		if got.Index != s.index || got.Size != at.size || got.LeafHash != s.leaf || got.Root != at.root {
			fail("asked for %d at %d, whose root is %s: %+v", s.index, at.size, at.root, got)
		}
		proof := inclusion{s.index, entries[s.index], got.Hashes, at}
		must(proof.check(), "the inclusion proof of %d at %d", s.index, at.size)
		proofs = append(proofs, proof)
	}
	return proofs
}

// Between every two checkpoints that were noted.
func (v *vault) checkConsistency() []consistency {
	var proofs []consistency
	sizes := v.sizes()
	for i, from := range sizes {
		for _, to := range sizes[i:] {
			var got struct {
				From, To int64
				Hashes   tlog.TreeProof
			}
			read(v.call("GET", fmt.Sprintf("/v1/vault/proof/consistency?from=%d&to=%d", from, to), 200, nil), &got)
			proof := consistency{v.heads[from], v.heads[to], got.Hashes}
			if got.From != from || got.To != to {
				fail("asked from %d to %d: %+v", from, to, got)
			}
			must(proof.check(), "the consistency proof from %d to %d", from, to)
			if from != to {
				proofs = append(proofs, proof)
			}
		}
	}
	return proofs
}

// Reads tiles as the vault serves them. What it has read it keeps: they never change.
type tileReader struct {
	*vault
	spoil func(tlog.Tile, []byte) []byte
}

func (r tileReader) Height() int { return 8 }

func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Theirs have the height in the path; C2SP's are all of height 8.
		path := strings.Replace(tile.Path(), "tile/8/", "/tile/", 1)
		data, found := r.tiles[path]
		if !found {
			served, err := r.public(path, "application/octet-stream")
			if err != nil {
				return nil, err
			}
			if len(served) != tile.W*tlog.HashSize {
				return nil, fmt.Errorf("%s has %d bytes", path, len(served))
			}
			data, r.tiles[path] = served, served
		}
		if r.spoil != nil {
			data = r.spoil(tile, append([]byte(nil), data...))
		}
		all = append(all, data)
	}
	return all, nil
}

func (v *vault) reader(at head, spoil func(tlog.Tile, []byte) []byte) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: at.size, Hash: at.root}, tileReader{v, spoil})
}

// Hashes of a tree that was built here from its leaves, in the order that sumdb stores them.
type built []tlog.Hash

func (b built) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		if index >= int64(len(b)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes = append(hashes, b[index])
	}
	return hashes, nil
}

// The whole tree, built from the entries, has the roots that were signed; and read through tiles alone it is the same, to the last hash.
func (v *vault) checkTree(entries [][]byte, inclusions []inclusion, consistencies []consistency) {
	var tree built
	var leaves []int64
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, tree)
		must(err, "entry %d", i)
		tree, leaves = append(tree, hashes...), append(leaves, tlog.StoredHashIndex(0, int64(i)))
	}
	last := v.largest()
	whole := v.reader(last, nil)
	for _, size := range v.sizes() {
		at := v.heads[size]
		for from, reader := range map[string]tlog.HashReader{"its entries": tree, "its tiles": v.reader(at, nil), "tiles of the largest": whole} {
			root, err := tlog.TreeHash(size, reader)
			must(err, "the root at %d by %s", size, from)
			if root != at.root {
				fail("by %s the root at %d is %s, signed was %s", from, size, root, at.root)
			}
		}
	}
	_, err := whole.ReadHashes(leaves)
	must(err, "all leaves, from tiles")
	for path, data := range v.tiles {
		tile, err := tlog.ParseTilePath(strings.Replace(path, "/tile/", "tile/8/", 1))
		must(err, "%s", path)
		wanted, err := tlog.ReadTileData(tile, tree)
		must(err, "%s", path)
		if !bytes.Equal(data, wanted) {
			fail("%s is not of the tree that the entries make", path)
		}
	}
	for _, i := range inclusions {
		proof, err := tlog.ProveRecord(i.head.size, i.index, whole)
		must(err, "proving %d at %d from tiles", i.index, i.head.size)
		if !same(proof, i.proof) {
			fail("by the tiles the inclusion proof of %d at %d is another", i.index, i.head.size)
		}
	}
	for _, c := range consistencies {
		proof, err := tlog.ProveTree(c.to.size, c.from.size, whole)
		must(err, "proving %d at %d from tiles", c.from.size, c.to.size)
		if !same(proof, c.proof) {
			fail("by the tiles the consistency proof from %d to %d is another", c.from.size, c.to.size)
		}
	}
}

func same(a, b []tlog.Hash) bool {
	return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b))
}

// Tiles that no tree has, and names that no tile has.
func (v *vault) checkAbsent() int {
	paths := []string{"/tile/0/x999/999", "/tile/0/x999/999.p/1", "/tile/5/000", "/tile/5/000.p/1", "/tile/64/000", "/tile/-1/000", "/tile/00/000", "/tile/0/0",
		"/tile/0/0000", "/tile/0/x000/000", "/tile/0/000.p/0", "/tile/0/000.p/256", "/tile/0/000.p/01", "/tile/0/000.p/+1", "/tile/0/000.p/",
		"/tile/entries/x999/999", "/tile/entries/000.p/0", "/tile/entries/000.p/256", "/tile/entries/0"}
	for _, path := range paths {
		path = "/v1/vault/logs/" + v.log + path
		if status, _, _ := v.fetch("GET", path, nil, nil); status < 400 || status > 499 {
			fail("GET %s: %d", path, status)
		}
	}
	return len(paths)
}

// Spoiling. Whatever is spoiled was accepted before.

type mutants struct {
	*rand.Rand
	*vault
	counts map[string]int
}

func (m *mutants) total() int {
	sum := 0
	for _, count := range m.counts {
		sum += count
	}
	return sum
}

func (m *mutants) String() string {
	var words []string
	for class, count := range m.counts {
		words = append(words, fmt.Sprintf("%s %d", class, count))
	}
	sort.Strings(words)
	return strings.Join(words, ", ")
}

// err is what came of checking the mutant.
func (m *mutants) refused(class string, err error, mutant interface{}) {
	if err == nil {
		fail("a mutant passed (%s): %+v", class, mutant)
	}
	m.counts[class]++
}

func (m *mutants) flip(text string, from, to int) string {
	changed := []byte(text)
	changed[from+m.Intn(to-from)] ^= 1 << uint(m.Intn(8))
	return string(changed)
}

func (m *mutants) anyHead() head {
	sizes := m.sizes()
	return m.heads[sizes[m.Intn(len(sizes))]]
}

// The checkpoint with one signature of the log's and no other. Where there are more, spoiling one leaves a note that is rightly accepted.
func (m *mutants) alone(checkpoint string) string {
	opened, err := note.Open([]byte(checkpoint), m.known)
	must(err, "opening again\n%s", checkpoint)
	text := signed(opened.Text, opened.Sigs[0].Name, opened.Sigs[0].Base64)
	_, err = open(text, m.origin, m.known)
	must(err, "with one signature\n%s", text)
	return text
}

func signed(text, name, signature string) string {
	return fmt.Sprintf("%s\n\u2014 %s %s\n", text, name, signature)
}

// The signature on a checkpoint that has one: where its base64 starts, and what it says. Its base64 is never spoiled as text, since a bit of its
// last letter means nothing.
func signature(checkpoint string) (int, []byte) {
	start := strings.LastIndex(checkpoint, " ") + 1
	said, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(checkpoint[start:], "\n"))
	must(err, "the signature")
	return start, said
}

func (m *mutants) spoilSignature(checkpoint string) string {
	start, said := signature(checkpoint)
	return checkpoint[:start] + base64.StdEncoding.EncodeToString([]byte(m.flip(string(said), 0, len(said)))) + "\n"
}

func (m *mutants) checkpoints() {
	try := func(class, mutant string) {
		_, err := open(mutant, m.origin, m.known)
		m.refused(class, err, mutant)
	}
	for n := 0; n < 100; n++ {
		at := m.anyHead()
		text := m.alone(at.note)
		start, _ := signature(text)
		try("checkpoint bit", m.flip(text, 0, start))
		try("signature bit", m.spoilSignature(text))
		try("checkpoint cut", text[:m.Intn(len(text))])
		if other := m.anyHead(); other.size != at.size {
			otherStart, _ := signature(m.alone(other.note))
			try("another's signature", text[:start]+m.alone(other.note)[otherStart:])
		}
		larger := strings.Replace(text, fmt.Sprintf("\n%d\n", at.size), fmt.Sprintf("\n%d\n", at.size+1+m.Int63n(1<<uint(m.Intn(40)))), 1)
		try("checkpoint size", larger)
	}
}

// Keys that are not the log's, and keys that are, under another name.
func (m *mutants) keys() {
	for n := 0; n < 20; n++ {
		text := m.alone(m.anyHead().note)
		start, said := signature(text)
		try := func(class string, text string, vkeys ...string) {
			known, err := verifiers(vkeys)
			if err == nil {
				_, err = open(text, m.origin, known)
			}
			m.refused(class, err, vkeys)
		}
		skey, strange, err := note.GenerateKey(m.Rand, m.origin)
		must(err, "making a key")
		signer, err := note.NewSigner(skey)
		must(err, "making a key")
		forged, err := note.Sign(&note.Note{Text: text[:strings.Index(text, "\n\n")+1]}, signer)
		must(err, "signing")
		_, forgery := signature(string(forged))
		for _, vkey := range m.vkeys {
			key, err := base64.StdEncoding.DecodeString(strings.SplitN(vkey, "+", 3)[2])
			must(err, "the key")
			elsewhere, err := note.NewEd25519VerifierKey(m.origin+"0", key[1:])
			must(err, "renaming a key")
			try("renamed key", text, elsewhere)
			try("key bit", text, m.flip(vkey, len(vkey)-44, len(vkey)))
		}
		try("strange key", text, strange)
		try("no key", text)
		try("forgery", string(forged), m.vkeys...)
		try("forgery", text[:start]+base64.StdEncoding.EncodeToString(append(said[:4:4], forgery[4:]...))+"\n", m.vkeys...)
	}
}

// A receipt in its parts.
type parts struct {
	extra, index string
	hashes       []string
	checkpoint   string
}

func split(text string) parts {
	top, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(top, "\n")
	return parts{lines[1], lines[2], append([]string(nil), lines[3:]...), checkpoint}
}

func (p parts) join() string {
	return strings.Join(append([]string{receiptHead, p.extra, p.index}, p.hashes...), "\n") + "\n\n" + p.checkpoint
}

func (m *mutants) receipts(texts []string) {
	for n, text := range texts {
		good := split(text)
		good.checkpoint = m.alone(good.checkpoint)
		text = good.join()
		read, err := receipt(text, m.origin, m.known)
		must(err, "with one signature\n%s", text)
		if !m.accepts(text) {
			fail("with one signature the vault refuses\n%s", text)
		}
		try := func(class, mutant string) {
			_, err := receipt(mutant, m.origin, m.known)
			if err == nil || m.accepts(mutant) {
				m.refused(class, nil, mutant)
			}
			m.refused(class, err, mutant)
		}
		change := func(class string, change func(*parts)) {
			mutant := split(text)
			change(&mutant)
			if mutant.join() != text {
				try(class, mutant.join())
			}
		}
		other := split(texts[(n+1)%len(texts)])
		top := strings.Index(text, "\n\n") + 2
		start, _ := signature(text)
		// Apart, since nearly all of a receipt is its entry.
		try("receipt bit", m.flip(text, len(receiptHead)+1+len(good.extra), top))
		try("receipt bit", m.flip(text, len(receiptHead)+1, len(receiptHead)+1+len(good.extra)))
		try("receipt bit", m.flip(text, top, start))
		try("receipt cut", text[:m.Intn(len(text))])
		try("receipt cut", text[:top+m.Intn(len(text)-top)])
		change("receipt signature", func(p *parts) { p.checkpoint = m.spoilSignature(p.checkpoint) })
		change("receipt entry", func(p *parts) {
			entry := string(read.entry)
			p.extra = "extra " + base64.StdEncoding.EncodeToString([]byte(m.flip(entry, 0, len(entry))))
		})
		change("receipt entry", func(p *parts) { p.extra = other.extra })
		change("receipt index", func(p *parts) { p.index = fmt.Sprintf("index %d", read.index^1) })
		change("receipt index", func(p *parts) { p.index = other.index })
		change("receipt index", func(p *parts) { p.index = fmt.Sprintf("index %d", read.head.size+read.index) })
		change("receipt index", func(p *parts) { p.index = fmt.Sprintf("index 0%d", read.index) })
		change("receipt hashes", func(p *parts) { p.hashes = other.hashes })
		change("receipt hashes", func(p *parts) { p.hashes = p.hashes[1:] })
		change("receipt hashes", func(p *parts) { p.hashes = p.hashes[:len(p.hashes)-1] })
		change("receipt hashes", func(p *parts) { p.hashes = append(p.hashes, p.hashes[m.Intn(len(p.hashes))]) })
		change("receipt hashes", func(p *parts) {
			i := m.Intn(len(p.hashes) - 1)
			p.hashes[i], p.hashes[i+1] = p.hashes[i+1], p.hashes[i]
		})
		change("receipt checkpoint", func(p *parts) {
			if at := m.anyHead(); at.size != read.head.size {
				p.checkpoint = m.alone(at.note)
			}
		})
	}
}

// A proof with a bit flipped, a hash gone, one too many, two swapped.
func (m *mutants) spoilHashes(hashes []tlog.Hash) [][]tlog.Hash {
	copied := func() []tlog.Hash { return append([]tlog.Hash(nil), hashes...) }
	longer := append(copied(), tlog.Hash{})
	if len(hashes) == 0 {
		return [][]tlog.Hash{longer}
	}
	bit := copied()
	bit[m.Intn(len(bit))][m.Intn(tlog.HashSize)] ^= 1 << uint(m.Intn(8))
	all := [][]tlog.Hash{longer, bit, copied()[1:], copied()[:len(hashes)-1]}
	if len(hashes) > 1 {
		swapped := copied()
		i := m.Intn(len(swapped) - 1)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		all = append(all, swapped)
	}
	return all
}

func (m *mutants) inclusions(proofs []inclusion) {
	try := func(class string, mutant inclusion) { m.refused(class, mutant.check(), mutant) }
	for n, good := range proofs {
		for _, hashes := range m.spoilHashes(good.proof) {
			mutant := good
			mutant.proof = hashes
			try("inclusion hashes", mutant)
		}
		if at := m.anyHead(); at.size != good.head.size {
			mutant := good
			mutant.head = at
			try("inclusion at another size", mutant)
		}
		if other := proofs[(n+1)%len(proofs)]; other.index != good.index {
			mutant := good
			mutant.index = other.index
			try("inclusion of another index", mutant)
			mutant = good
			mutant.proof = other.proof
			if !same(mutant.proof, good.proof) {
				try("inclusion by another's proof", mutant)
			}
		}
	}
}

func (m *mutants) consistencies(proofs []consistency) {
	try := func(class string, mutant consistency) { m.refused(class, mutant.check(), mutant) }
	for n, good := range proofs {
		for _, hashes := range m.spoilHashes(good.proof) {
			try("consistency hashes", consistency{good.from, good.to, hashes})
		}
		try("consistency backwards", consistency{good.to, good.from, good.proof})
		root := good
		root.from.root[m.Intn(tlog.HashSize)] ^= 1 << uint(m.Intn(8))
		try("consistency of another root", root)
		if other := proofs[(n+1)%len(proofs)]; !same(other.proof, good.proof) {
			try("consistency by another's proof", consistency{good.from, good.to, other.proof})
		}
	}
}

// One tile with a bit flipped, or cut, among those that a leaf and its proof are read from. Before its version 0.40 sumdb hands out some tiles
// unchecked (CVE-2026-56865), so what was read is held to the root once more.
func (m *mutants) treeTiles() {
	for n := 0; n < 60; n++ {
		at := m.anyHead()
		index := m.Int63n(at.size)
		spoilt, place, bit := "", m.Int(), byte(1)<<uint(m.Intn(8))
		seen := map[string]bool{}
		reader := m.reader(at, func(tile tlog.Tile, data []byte) []byte {
			seen[tile.Path()] = true
			if tile.Path() != spoilt {
				return data
			}
			if n%4 == 0 {
				return data[:len(data)/2]
			}
			data[place%len(data)] ^= bit
			return data
		})
		prove := func() error {
			leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			if err != nil {
				return err
			}
			proof, err := tlog.ProveRecord(at.size, index, reader)
			if err != nil {
				return err
			}
			return tlog.CheckRecord(proof, at.size, at.root, index, leaf[0])
		}
		must(prove(), "leaf %d at %d, from tiles", index, at.size)
		var paths []string
		for path := range seen {
			paths = append(paths, path)
		}
		sort.Strings(paths)
		spoilt = paths[m.Intn(len(paths))]
		m.refused("tile", prove(), fmt.Sprintf("leaf %d at %d, with %s spoiled", index, at.size, spoilt))
	}
}

func (m *mutants) entries(proofs []inclusion) {
	for n, good := range proofs {
		entry := string(good.entry)
		for _, changed := range []string{m.flip(entry, 0, len(entry)), entry[:m.Intn(len(entry))], entry + " ", string(proofs[(n+1)%len(proofs)].entry)} {
			if changed != entry {
				mutant := good
				mutant.entry = []byte(changed)
				m.refused("entry", mutant.check(), mutant)
			}
		}
	}
}

// Some of the seals, without repetition, and always the first and the last.
func sample(random *rand.Rand, seals []sealed, count int) []sealed {
	some := []sealed{seals[0], seals[len(seals)-1]}
	for _, i := range random.Perm(len(seals) - 2)[:count-2] {
		some = append(some, seals[i+1])
	}
	return some
}
