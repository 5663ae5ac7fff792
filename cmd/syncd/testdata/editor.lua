-- What a person does in Neovim, written down as JSON for the test that started it.
-- Works with the client that Neovim 0.7 has and with later ones.
local dir, result = vim.env.SYNCD_TEST_DIR, {}
local function done()
  vim.fn.writefile({ vim.json.encode(result) }, dir .. '/result.json')
end

vim.cmd('edit ' .. dir .. '/orders.hcl')
local id = vim.lsp.start_client({
  name = 'syncd',
  cmd = { vim.env.SYNCD_TEST_BINARY },
  cmd_env = { SYNCD_TEST_ARGS = 'lsp' },
  root_dir = dir,
  on_exit = function(code) result.exit = code end,
})
vim.lsp.buf_attach_client(0, id)

-- diagnostics waits until there are n.
local function diagnostics(n)
  vim.wait(20000, function() return #vim.diagnostic.get(0) == n end, 5)
  local list = {}
  for _, d in ipairs(vim.diagnostic.get(0)) do
    table.insert(list, { message = d.message, from = { d.lnum, d.col }, to = { d.end_lnum, d.end_col }, severity = d.severity, source = d.source })
  end
  return list
end

-- at puts the cursor behind text in the buffer.
local function at(text)
  vim.fn.cursor(1, 1)
  vim.fn.search('\\V' .. text, 'ce')
  vim.fn.cursor(vim.fn.line('.'), vim.fn.col('.') + 1)
end

local function ask(method, params)
  local client = vim.lsp.get_client_by_id(id)
  params = params or vim.lsp.util.make_position_params(0, client.offset_encoding)
  local answers = vim.lsp.buf_request_sync(0, method, params, 20000)
  return answers and answers[id] and answers[id].result
end

result.mistakes = diagnostics(2)
vim.cmd('%s/boddy/body/')
result.mended = diagnostics(1)

vim.cmd('normal! 3Go  to=[sink.]')
at('[sink.')
result.completion = {}
for _, item in ipairs(ask('textDocument/completion').items) do
  table.insert(result.completion, item.label)
end
vim.cmd('%s/\\[sink.\\]/[sink.log.debug]/')

at('lower')
result.hover = ask('textDocument/hover').contents.value
at('sink.log.d')
result.definition = ask('textDocument/definition')
result.symbols = {}
for _, symbol in ipairs(ask('textDocument/documentSymbol', { textDocument = vim.lsp.util.make_text_document_params() })) do
  table.insert(result.symbols, symbol.name)
end
vim.lsp.util.apply_text_edits(ask('textDocument/formatting', { textDocument = vim.lsp.util.make_text_document_params(), options = { tabSize = 2, insertSpaces = true } }), 0, 'utf-16')
result.formatted = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')

vim.lsp.stop_client(id)
vim.wait(20000, function() return result.exit ~= nil end, 5)
done()
vim.cmd('qa!')
