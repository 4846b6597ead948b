import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.rocketmq.auth.authentication.enums.UserStatus;
import org.apache.rocketmq.auth.authentication.enums.UserType;
import org.apache.rocketmq.auth.authentication.factory.AuthenticationFactory;
import org.apache.rocketmq.auth.authentication.manager.AuthenticationMetadataManager;
import org.apache.rocketmq.auth.authentication.model.User;
import org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider;
import org.apache.rocketmq.auth.authorization.AuthorizationEvaluator;
import org.apache.rocketmq.auth.authorization.context.DefaultAuthorizationContext;
import org.apache.rocketmq.auth.authorization.enums.Decision;
import org.apache.rocketmq.auth.authorization.enums.PolicyType;
import org.apache.rocketmq.auth.authorization.exception.AuthorizationException;
import org.apache.rocketmq.auth.authorization.factory.AuthorizationFactory;
import org.apache.rocketmq.auth.authorization.manager.AuthorizationMetadataManager;
import org.apache.rocketmq.auth.authorization.model.Acl;
import org.apache.rocketmq.auth.authorization.model.Environment;
import org.apache.rocketmq.auth.authorization.model.Policy;
import org.apache.rocketmq.auth.authorization.model.PolicyEntry;
import org.apache.rocketmq.auth.authorization.model.Resource;
import org.apache.rocketmq.auth.authorization.provider.DefaultAuthorizationProvider;
import org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider;
import org.apache.rocketmq.auth.config.AuthConfig;
import org.apache.rocketmq.common.action.Action;

/**
 * Asks the classes of ACL 2.0 what users may do. Lines of standard input, with tabs between their parts:
 * "user", name, type, status; "rule", user, policy, resource, actions, addresses, decision;
 * "case", user, resource, actions, address. For each case it prints "allow" or "deny".
 */
public class PolicyDecisions {
    private static final Map<String, Map<PolicyType, List<PolicyEntry>>> RULES = new LinkedHashMap<>();

    public static void main(String[] args) throws Exception {
        PrintStream output = System.out;
        // Where the classes log, too.
        System.setOut(System.err);
        AuthConfig config = new AuthConfig();
        config.setConfigName("decisions");
        config.setAuthConfigPath(Files.createTempDirectory("decisions").toString());
        config.setAuthenticationEnabled(true);
        config.setAuthorizationEnabled(true);
        config.setAuthenticationMetadataProvider(LocalAuthenticationMetadataProvider.class.getName());
        config.setAuthorizationProvider(DefaultAuthorizationProvider.class.getName());
        config.setAuthorizationMetadataProvider(LocalAuthorizationMetadataProvider.class.getName());
        AuthenticationMetadataManager users = AuthenticationFactory.getMetadataManager(config);
        AuthorizationMetadataManager acls = AuthorizationFactory.getMetadataManager(config);
        AuthorizationEvaluator evaluator = AuthorizationFactory.getEvaluator(config);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder decisions = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t", -1);
            switch (parts[0]) {
                case "user":
                    User user = User.of(parts[1], "secret", UserType.getByName(parts[2]));
                    user.setUserStatus(UserStatus.getByName(parts[3]));
                    users.createUser(user).join();
                    break;
                case "rule":
                    RULES.computeIfAbsent(parts[1], name -> new LinkedHashMap<>())
                        .computeIfAbsent(PolicyType.getByName(parts[2]), type -> new ArrayList<>())
                        .add(entry(parts));
                    break;
                default:
                    create(acls);
                    decisions.append(decide(evaluator, parts)).append('\n');
            }
        }
        output.print(decisions);
        output.flush();
        // Threads of the classes would keep it alive.
        Runtime.getRuntime().halt(0);
    }

    private static PolicyEntry entry(String[] parts) {
        Environment environment = parts[5].isEmpty() ? null : Environment.of(List.of(parts[5].split(",")));
        return PolicyEntry.of(Resource.of(parts[3]), actions(parts[4]), environment, Decision.getByName(parts[6]));
    }

    private static List<Action> actions(String text) {
        return Stream.of(text.split(",")).map(Action::getByName).collect(Collectors.toList());
    }

    private static void create(AuthorizationMetadataManager acls) {
        RULES.forEach((name, policies) -> {
            List<Policy> all = new ArrayList<>();
            policies.forEach((type, entries) -> all.add(Policy.of(type, entries)));
            acls.createAcl(Acl.of(User.of(name), all)).join();
        });
        RULES.clear();
    }

    private static String decide(AuthorizationEvaluator evaluator, String[] parts) {
        try {
            evaluator.evaluate(List.of(DefaultAuthorizationContext.of(
                User.of(parts[1]), Resource.of(parts[2]), actions(parts[3]), parts[4])));
            return "allow";
        } catch (AuthorizationException | CompletionException error) {
            return "deny";
        }
    }
}
