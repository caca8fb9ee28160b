using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Documentation;

/// <summary>The documentation comments of the libraries, as the compiler writes them beside the assemblies.</summary>
public sealed partial class PublicCommentTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly string[] Libraries =
    [
        .. Directory.GetFiles(Path.Combine(GoldenFiles.Root, "src"), "PublicAPI.Unshipped.txt", SearchOption.AllDirectories)
            .Select(list => Path.GetFileName(Path.GetDirectoryName(list)!)),
    ];

    [Fact]
    public void References_OfPublicComments_LeadToWhatIsPublic()
    {
        HashSet<string> visible = [.. Libraries.SelectMany(name => Assembly.Load(name).GetExportedTypes()).SelectMany(NamesOf)];
        (string Member, string Target)[] references = [.. Libraries.SelectMany(ReferencesIn).Where(one => visible.Contains(one.Member))];
        Assert.Contains(("MuseAtelier.IAtelier", "MuseAtelier.Atelier"), references);
        Assert.DoesNotContain(
            references, one => one.Target.StartsWith(nameof(MuseAtelier), StringComparison.Ordinal) && !visible.Contains(one.Target));
    }

    [Fact]
    public void Types_ThatArePublic_HaveComments()
    {
        HashSet<string> commented = [.. Libraries.SelectMany(CommentsOf).Where(one => one.HasElements).Select(NameOf)];
        Assert.All(Libraries.SelectMany(name => Assembly.Load(name).GetExportedTypes()), type => Assert.Contains(NameOf(type), commented));
    }

    private static IEnumerable<XElement> CommentsOf(string library) =>
        XDocument.Load(Path.Combine(AppContext.BaseDirectory, $"{library}.xml")).Descendants("member");

    private static IEnumerable<(string Member, string Target)> ReferencesIn(string library) =>
        from comment in CommentsOf(library)
        from target in comment.Descendants().Attributes("cref")
        select (NameOf(comment), NameOf(target.Value));

    private static IEnumerable<string> NamesOf(Type type) =>
        type.GetMembers(Declared).Where(IsVisible)
            .Select(member => $"{NameOf(type)}.{member.Name.Replace('.', '#')}")
            .Prepend(NameOf(type));

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    private static string NameOf(XElement comment) => NameOf(comment.Attribute("name")!.Value);

    // Without the kind before the colon, the parameters, and the number of type parameters of a method.
    private static string NameOf(string id) => End().Replace(id[2..], "");

    private static bool IsVisible(MemberInfo member) => member switch
    {
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
        _ => false,
    };

    [GeneratedRegex(@"(``\d+)?[(~].*$|``\d+$", RegexOptions.Singleline)]
    private static partial Regex End();
}
