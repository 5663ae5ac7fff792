package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

const (
	orderSize = 1024 // bytes of a posted order
	orderKind = 512  // different orders; beyond that they repeat but for their number
	idMark    = "ord-"
	idDigits  = 10
)

// idAt is where an order's number stands in its body.
const idAt = len(`{"id":"` + idMark)

// order is what is posted and what the flow has to make of it.
type order struct {
	body  []byte // orderSize bytes of JSON
	email string
	total float64
	items int
}

// orders are made once: they differ in length of fields, number of lines and text, so
// that a compressor finds in them what it would find in real ones.
var orders = sync.OnceValue(func() []order {
	r := rand.New(rand.NewPCG(7, 11))
	list := make([]order, orderKind)
	for i := range list {
		list[i] = newOrder(r)
	}
	return list
})

var (
	givenNames = strings.Fields("Amaru Beatriz Camila Dieter Elif Fabiola Gonzalo Hana Ignacio Jana Kenji Lucía Matías Noor Odile Pilar Quentin Rayen Sofía Tomás")
	surnames   = strings.Fields("Araya Bravo Cárdenas Dreyer Escobar Fuentes Godoy Huenchumán Ibáñez Jansen Keller Lagos Muñoz Navarrete Oyarzún Paredes Quiroz Rojas Sepúlveda Toro")
	cities     = strings.Fields("Santiago Valparaíso Concepción Temuco Arica Lima Cusco Rosario Córdoba Leipzig Utrecht Gdańsk Porto Bergen Graz")
	goods      = strings.Fields("kettle lamp notebook rucksack tent stove blanket compass thermos hammock lantern whistle rope knife mug pillow")
	words      = strings.Fields("please leave the parcel with a neighbour if nobody opens call before noon gift wrap one of them no invoice inside second delivery last week arrived late fragile thanks side entrance behind garden gate third floor bell does not work")
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func newOrder(r *rand.Rand) order {
	given, family := pick(r, givenNames), pick(r, surnames)
	address := fmt.Sprintf("%s.%s%d@Mail%d.example", given, family, r.IntN(100), r.IntN(9))
	o := order{email: strings.ToLower(address), items: 2 + r.IntN(3)}
	b := fmt.Appendf(nil, `{"id":"%s%0*d","placed":"2026-%02d-%02dT%02d:%02d:%02dZ","channel":"%s","currency":"%s",`,
		idMark, idDigits, 0, 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60),
		pick(r, []string{"web", "app", "shop", "phone"}), pick(r, []string{"CLP", "EUR", "PEN", "USD"}))
	b = fmt.Appendf(b, `"customer":{"number":%d,"name":"%s %s","email":"%s","phone":"+56 9 %d","address":{"street":"%s %d","city":"%s","zip":"%07d"}},"items":[`,
		10000+r.IntN(90000), given, family, address, 10000000+r.IntN(89999999), pick(r, surnames), 1+r.IntN(4000), pick(r, cities), r.IntN(9999999))
	for i := range o.items {
		sep := ","
		if i == 0 {
			sep = ""
		}
		quantity, price := 1+r.IntN(5), float64(100+r.IntN(20000))/100
		o.total += float64(quantity) * price
		b = fmt.Appendf(b, `%s{"sku":"%s-%04d","title":"%s, %s","qty":%d,"price":%.2f}`,
			sep, strings.ToUpper(pick(r, goods)[:3]), r.IntN(10000), pick(r, goods), pick(r, cities), quantity, price)
	}
	b = append(b, `],"note":"`...)
	b = append(b, note(r, orderSize-len(b)-len(`"}`))...)
	o.body = append(b, `"}`...)
	return o
}

// note is n bytes of words.
func note(r *rand.Rand, n int) string {
	var s strings.Builder
	for s.Len() < n {
		s.WriteString(pick(r, words))
		s.WriteByte(' ')
	}
	return s.String()[:n]
}

// number writes an order's number into its body.
func number(body []byte, n int) {
	for i := idAt + idDigits - 1; i >= idAt; i-- {
		body[i] = byte('0' + n%10)
		n /= 10
	}
}

// mapped is what the flow's map, and the references in its place, send on.
type mapped struct {
	Order    string   `json:"order_id"`
	Email    string   `json:"email"`
	Name     string   `json:"name"`
	City     string   `json:"city"`
	Currency string   `json:"currency"`
	Total    float64  `json:"total"`
	Count    int      `json:"item_count"`
	SKUs     []string `json:"skus"`
}

// right tells whether body is what has to come out of order n.
func right(body []byte, n int) bool {
	var m mapped
	want := orders()[n%orderKind]
	return json.Unmarshal(body, &m) == nil && m.Order == fmt.Sprintf("%s%0*d", idMark, idDigits, n) &&
		m.Email == want.email && math.Abs(m.Total-want.total) < 1e-6 && m.Count == want.items &&
		len(m.SKUs) == want.items && !slices.Contains(m.SKUs, "")
}
