using System.Text;
using System.Text.RegularExpressions;
using MuseAtelier.Server.Page;

namespace MuseAtelier.Tests.Server.Page;

/// <summary>The page's scripts and style sheets, joined for a first visit.</summary>
public sealed partial class PageJoinTests
{
    [Fact]
    public void Modules_AreJoinedOnceAndAfterWhatTheyImport()
    {
        string script = Join(
            ("main.js", "import { one as first } from './one.js';\nimport * as two from './two.js';\nfirst(two.b);\n"),
            ("two.js", "import './one.js';\nexport const a = 1;\nexport const b = a;\n"),
            ("one.js", "// A note.\nexport async function one() {\n  return 1;\n}\nexport class Two {\n}\n"));
        Assert.Equal(
            """
            const $one = (() => {
            // A note.
            async function one() {
              return 1;
            }
            class Two {
            }

            return { one, Two };
            })();
            const $two = (() => {

            const a = 1;
            const b = a;

            return { a, b };
            })();
            const $main = (() => {
            const { one: first } = $one;
            const two = $two;
            first(two.b);

            return {  };
            })();

            """.ReplaceLineEndings("\n"),
            script);
    }

    [Theory]
    [InlineData("export default 1;\n")]
    [InlineData("export let a = 1;\n")]
    [InlineData("import a from './one.js';\n")]
    [InlineData("import { a } from '../one.js';\n")]
    [InlineData("await a;\n")]
    [InlineData("const a = () => import('./one.js');\n")]
    [InlineData("import { a } from './main.js';\n")]
    public void Module_OfAnotherForm_IsRefusedByName(string text)
    {
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => Join(("main.js", text)));
        Assert.Contains("main.js", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_Joined_HoldsEveryModuleSheetAndTextureOnce()
    {
        string[] names = [.. PageFiles.Embedded.Select(file => file.Name)];
        Assert.Equal(["scripts/first.js", "scripts/main.js"], names.Where(name => name.EndsWith(".js", StringComparison.Ordinal)).Order());
        Assert.Equal(["styles/page.css"], names.Where(name => name.EndsWith(".css", StringComparison.Ordinal)));
        string script = TextOf("scripts/main.js"),
            sheet = TextOf("styles/page.css");
        foreach (string path in Directory.GetFiles(Path.Combine(PageText.Folder, "scripts"), "*.js"))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            int expected = name == "first" ? 0 : 1;
            Assert.Equal(expected, Regex.Count(script, $@"^const \${name.Replace('-', '_')} = \(", RegexOptions.Multiline));
        }

        Assert.Contains("@font-face", sheet, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", sheet, StringComparison.Ordinal);
        Assert.DoesNotContain("textures/", sheet, StringComparison.Ordinal);
        Assert.All(Addresses().Matches(sheet), match => Assert.True(names.Contains(match.Groups[1].Value), match.Value));
    }

    private static string Join(params (string Name, string Text)[] modules) =>
        new ModuleJoin(name => modules.Single(module => module.Name == name).Text).Join("main.js");

    private static string TextOf(string name) => Encoding.UTF8.GetString(PageFiles.Embedded.Single(file => file.Name == name).Content);

    [GeneratedRegex("""url\("\.\./([^"]+)"\)""")]
    private static partial Regex Addresses();
}
